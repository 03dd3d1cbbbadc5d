#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Probes each tree of tests/data/hosts and compares what comes out with what is written beside it.

The tree is copied first, for git keeps no empty directories: their names are in the file
empty-directories. mlx5lm-probe runs in the copy's folder, so that no path of this machine comes
into a message.
"""

import argparse
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
HOSTS = HERE / 'hosts'
COLUMNS = 80
# what is copied and pasted may be longer than a line: a command, or a single word
COMMANDS = ('depmod ', 'devlink ', 'echo ', 'fuser ', 'grep ', 'lspci ', 'mlx5lm-configure ', 'mlxconfig ',
            'modprobe ', 'mstconfig ', 'virsh ')
FORMS = {'snapshot.json': ['--json'], 'findings.txt': ['--explain', '--all'], 'summary.txt': []}
STATUSES = {'NOT ready': 1, 'may or may not be ready': 2, 'is ready': 0}


def copy_tree(kind, folder):
    root = folder / 'root'
    shutil.copytree(HOSTS / kind / 'root', root, symlinks=True)
    for name in (HOSTS / kind / 'empty-directories').read_text('utf-8').splitlines():
        (root / name).mkdir(parents=True, exist_ok=True)
    return folder


def run(probe, folder, *options):
    return subprocess.run([probe, *options], cwd=folder, capture_output=True, text=True, check=False, timeout=60)


def results(probe, folder):
    """The files that belong beside the tree."""
    statuses = set()
    for name, options in FORMS.items():
        done = run(probe, folder, '--root', 'root', *options)
        if done.stderr or done.returncode not in (0, 1, 2):
            raise RuntimeError(f'{name}: exit status {done.returncode}: {done.stderr}')
        statuses.add(done.returncode)
        yield name, done.stdout
    if len(statuses) != 1:
        raise RuntimeError(f'the exit status depends on the form: {statuses}')
    words = next(words for words in STATUSES if words in done.stdout.splitlines()[0])
    if statuses != {STATUSES[words]}:
        raise RuntimeError(f'exit status {statuses}, but the verdict is "{words}"')


def too_wide(text):
    for number, line in enumerate(text.splitlines(), 1):
        words = line.strip().removeprefix('to do: ')
        if len(line) > COLUMNS and ' ' in words and not words.startswith(COMMANDS):
            yield f'line {number} has {len(line)} columns: {words}'


def difference(expected, got):
    old, new = expected.splitlines(), got.splitlines()
    for number, (before, after) in enumerate(zip(old + [''] * len(new), new + [''] * len(old)), 1):
        if before != after:
            return f'line {number}: expected {before!r}, got {after!r}'
    return 'the end of the last line'


def check_tree(probe, kind, renew):
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy_tree(kind, pathlib.Path(temporary))
        for name, text in results(probe, folder):
            path = HOSTS / kind / name
            if renew:
                path.write_text(text, 'utf-8')
            elif (expected := path.read_text('utf-8')) != text:
                yield f'{name}: {difference(expected, text)} (if that is right: tests/data/renew)'
            if name.endswith('.txt'):
                yield from (f'{name}: {problem}' for problem in too_wide(text))


def check_faults(probe, kind):
    """The comparison can fail: other facts give other results."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy_tree(kind, pathlib.Path(temporary))
        (folder / 'root/proc/sys/kernel/osrelease').write_text('5.10.0\n', 'utf-8')
        for name, text in results(probe, folder):
            if text == (HOSTS / kind / name).read_text('utf-8'):
                yield f'{name}: another kernel makes no difference'
    if not list(too_wide(f'  {"word " * 20}')) or list(too_wide(f'  to do: echo {"word " * 20}')):
        yield 'lines that are too wide are not told apart from commands'


def check_options(probe, kind):
    """Exit statuses and options of mlx5lm-probe that need a tree."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = copy_tree(kind, pathlib.Path(temporary))
        for options, status, words in (
                (['--no-such-option'], 3, 'Usage'),
                (['more'], 3, 'Usage'),
                (['--timeout', '0'], 3, 'not usable'),
                (['--timeout', 'x'], 3, 'expected a number'),
                (['--root', 'nowhere'], 1, 'nowhere'),
                (['--root', 'root', '--profile', 'no-such'], 1, 'no-such'),
                (['--root', 'root', '--profile', 'missing.json'], 1, 'missing.json'),
                (['--root', 'root', '--scope', '0000:ff:00.0'], 1, '0000:ff:00.0'),
                (['--help'], 0, 'Exit status'),
                (['--version'], 0, 'mlx5lm-probe '),
                (['--profiles'], 0, 'nvidia-doca')):
            done = run(probe, folder, *options)
            if done.returncode != status or words not in done.stdout + done.stderr:
                yield f'{options}: exit status {done.returncode}, not {status}; {done.stdout}{done.stderr}'
            for problem in too_wide(done.stdout):
                yield f'{options}: {problem}'
        every = run(probe, folder, '--root', 'root', '--all').stdout
        scoped = run(probe, folder, '--root', 'root', '--all', '--scope', '0000:40:00.3').stdout
        if '0000:40:00.2\n' not in every or '0000:40:00.2\n' in scoped:
            yield '--scope does not leave the other VFs out'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--probe', type=pathlib.Path, required=True, help='mlx5lm-probe')
    parser.add_argument('--renew', action='store_true', help='write the expected results anew')
    args = parser.parse_args()
    probe = args.probe.resolve()
    checks = [(path.name, lambda kind=path.name: check_tree(probe, kind, args.renew))
              for path in sorted(HOSTS.iterdir())]
    checks.append(('faults are noticed', lambda: check_faults(probe, 'connectx-7-ready')))
    checks.append(('options', lambda: check_options(probe, 'connectx-7-ready')))
    failed = 0
    print(f'1..{len(checks)}')
    for number, (name, check) in enumerate(checks, 1):
        try:
            problems = list(check())
        except (OSError, RuntimeError, subprocess.TimeoutExpired) as error:
            problems = [str(error)]
        failed += bool(problems)
        print(f'{"not " if problems else ""}ok {number} - {name}')
        for problem in problems:
            print(f'# {problem}')
    sys.exit(1 if failed else 0)


if __name__ == '__main__':
    main()
