#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run one fuzzer for some time. Good is: it found nothing, and it did run.

What it found before is in WORK/found and starts off the next run. An input that breaks the target is
kept in WORK/broken; put it into the target's corpus, and it is a test.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

OPTIONS = ('-timeout=5', '-rss_limit_mb=256', '-print_final_stats=1', '-reload=0')
GRACE_SECONDS = 120  # to start, to read the corpus, to end
# the freed memory that the sanitizer holds back would count as the target's
SANITIZER = {'ASAN_OPTIONS': 'quarantine_size_mb=8:allow_addr2line=1:detect_stack_use_after_return=0',
             'UBSAN_OPTIONS': 'print_stacktrace=1:halt_on_error=1'}


def command(args):
    found, broken = args.work / 'found', args.work / 'broken'
    for folder in (found, broken):
        folder.mkdir(parents=True, exist_ok=True)
    words = [args.fuzzer, found, *args.corpus, *OPTIONS, f'-max_total_time={args.seconds}',
             f'-max_len={args.max_bytes}', f'-artifact_prefix={broken}/']
    if args.dictionary:
        words.append(f'-dict={args.dictionary}')
    return [str(word) for word in words]


def run(args):
    """Exit status and output; the status is None of a fuzzer that did not end."""
    try:
        done = subprocess.run(command(args), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                              errors='backslashreplace', env=os.environ | SANITIZER,
                              timeout=args.seconds + GRACE_SECONDS)
    except subprocess.TimeoutExpired as late:
        return None, (late.output or b'').decode('utf-8', 'backslashreplace')
    return done.returncode, done.stdout


def number(pattern, output):
    match = re.search(pattern, output)
    return int(match.group(1)) if match else 0


def what_is_wrong(args, status, output):
    if status is None:
        return 'it did not end'
    if args.expect:
        if status == 0 or args.expect not in output:
            return f'it was to find "{args.expect}", and did not'
        return None
    if status:
        return f'exit status {status}'
    if not number(r'INFO: Loaded \d+ modules? +\((\d+) inline', output):
        return 'the target was built without coverage'
    seeds = sum(1 for corpus in args.corpus for path in corpus.rglob('*') if path.is_file())
    if not seeds or number(r'number_of_executed_units: *(\d+)', output) < 2 * seeds:
        return f'it did hardly more than read its {seeds} seeds'
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('fuzzer', type=pathlib.Path)
    parser.add_argument('--corpus', type=pathlib.Path, required=True, nargs='+', help='seeds; nothing is written there')
    parser.add_argument('--work', type=pathlib.Path, required=True)
    parser.add_argument('--dictionary', type=pathlib.Path)
    parser.add_argument('--max-bytes', type=int, default=4096, help='longest input')
    parser.add_argument('--seconds', type=int, default=60)
    parser.add_argument('--expect', help='a word of the fault that must be found in a target that is wrong on purpose')
    args = parser.parse_args()
    status, output = run(args)
    wrong = what_is_wrong(args, status, output)
    lines = output.splitlines()
    if wrong:
        lines = lines[:20] + ['...'] + lines[-120:] if len(lines) > 140 else lines
    else:
        lines = [line for line in lines if re.match(r'#\d+\s+(INITED|DONE)|Done|stat::', line)]
    print('\n'.join(lines))
    if wrong:
        sys.exit(f'FAIL: {args.fuzzer.name}: {wrong}')


if __name__ == '__main__':
    main()
