#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public enumerator and constant has its recorded value, and none is new without a record."""

import headers
import register


def main():
    args = register.arguments(__doc__, library=False).parse_args()
    recorded = register.read_constants(args.abi / 'constants.txt')
    declared = dict(headers.parse_directory(args.include).numbers())
    failures = []
    for name in sorted(recorded.keys() | declared.keys()):
        if name not in declared:
            failures.append(f'{name} was removed or renamed')
        elif name not in recorded:
            failures.append(f'{name} is not recorded')
        elif declared[name] != recorded[name][0]:
            failures.append(f'{name} was {recorded[name][0]} and is now {declared[name]}')
    register.end(failures, 'If this is meant, see abi/README.md and run abi/update.py.')


if __name__ == '__main__':
    main()
