# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the lint checks share: the files of the project and the way a check ends."""

import argparse
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SKIPPED = 77  # meson's exit status of a test that could not run

sys.path.insert(0, str(HERE.parent.parent / 'abi'))


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument('--root', type=pathlib.Path, default=HERE.parent.parent, help='the project')
    return parser


def end(failures):
    failures = list(failures)
    for failure in failures:
        print(f'FAIL: {failure}')
    sys.exit(1 if failures else 0)


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False, **options)


def files(root):
    """Every file that is committed or could be, as a path relative to root."""
    result = run('git', '-C', root, '-c', f'safe.directory={root}', 'ls-files', '-z', '--cached', '--others',
                 '--exclude-standard')
    if result.returncode == 0:
        names = result.stdout.split('\0')[:-1]
    else:  # an unpacked tarball: nothing is ignored, and build folders begin with a name we know
        names = [path.relative_to(root).as_posix() for path in root.rglob('*')
                 if not path.relative_to(root).parts[0].startswith(('build', '.cache', '.git'))]
    paths = [pathlib.Path(name) for name in sorted(set(names))]
    return [path for path in paths if (root / path).is_file() and not (root / path).is_symlink()]


def text_of(path):
    """The text of a file; None of a binary one."""
    try:
        text = path.read_text('utf-8')
    except UnicodeDecodeError:
        return None
    return None if '\0' in text else text
