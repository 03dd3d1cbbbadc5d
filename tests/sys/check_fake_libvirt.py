#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""tests/support/fake_libvirt.c defines exactly the vir* functions that the library uses.

One more would be dead code, one less would let a test call the real libvirt.
"""

import argparse
import subprocess
import sys


def symbols(archives, option):
    lines = subprocess.run(['nm', '--extern-only', option, *archives], check=True, capture_output=True, text=True).stdout
    names = {line.split()[-1] for line in lines.splitlines() if line.split()}
    return {name for name in names if name.startswith('vir') and name[3:4].isupper()}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('fake')
    parser.add_argument('layers', nargs='+')
    args = parser.parse_args()
    used = symbols(args.layers, '--undefined-only')
    defined = symbols([args.fake], '--defined-only')
    if not used:
        sys.exit('no vir* function is used: is this the right archive?')
    for name in sorted(used - defined):
        print(f'fake_libvirt.c lacks {name}')
    for name in sorted(defined - used):
        print(f'fake_libvirt.c defines {name}, which the library does not use')
    sys.exit(1 if used != defined else 0)


if __name__ == '__main__':
    main()
