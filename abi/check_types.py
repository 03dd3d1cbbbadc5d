#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""No public function or type has changed since the baseline (libabigail)."""

import shutil
import sys

import register

BASELINE = 'libmlx5lm.so.1.x86_64.abi'
BASELINE_MACHINE = 'Advanced Micro Devices X86-64'

# The exit status of abidiff is a set of bits. Changed types and renumbered enumerators set only
# CHANGE; added functions do too, which check_symbols.py judges and --no-added-syms leaves out.
ERROR, USAGE, CHANGE, INCOMPATIBLE = 1, 2, 4, 8


def cannot_run(required, reason):
    print(f'{"FAIL" if required else "SKIP"}: {reason}')
    sys.exit(1 if required else register.SKIPPED)


def main():
    parser = register.arguments(__doc__)
    parser.add_argument('--require', action='store_true', help='fail where the check would be skipped')
    args = parser.parse_args()
    if not shutil.which('abidiff'):
        cannot_run(args.require, 'abidiff is not installed (Debian: abigail-tools)')
    machine = register.machine(args.library)
    if machine != BASELINE_MACHINE:
        cannot_run(args.require, f'the baseline is for {BASELINE_MACHINE}, the library for {machine}')
    if not register.has_debug_info(args.library):
        register.end(['the library has no .debug_info: abidiff would find no difference, whatever changed'])
    result = register.tool('abidiff', '--no-added-syms', '--headers-dir2', args.include, '--suppressions',
                           args.abi / 'suppressions.abignore', args.abi / BASELINE, args.library)
    print(result.stdout, end='')
    print(result.stderr, end='', file=sys.stderr)
    if result.returncode == 0:
        sys.exit(0)
    if result.returncode & (ERROR | USAGE) or result.returncode < 0:
        register.end([f'abidiff itself failed with status {result.returncode}'])
    register.end([f'the ABI differs from the baseline (abidiff status {result.returncode}: '
                  f'{CHANGE} is a change, {INCOMPATIBLE} an incompatible one)'],
                 'If this is meant, see abi/README.md and run abi/update.py.')


if __name__ == '__main__':
    main()
