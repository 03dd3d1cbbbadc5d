#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every shell script of the tree passes shellcheck."""

import re
import shutil
import sys

import project


def is_shell(path):
    text = project.text_of(path)
    if path.suffix in ('.sh', '.bash'):
        return True
    return bool(text and re.match(r'#!\s*/\S*?(env )?\b(ba|da)?sh\b', text))


def main():
    parser = project.arguments(__doc__)
    parser.add_argument('--require', action='store_true', help='fail where the check would be skipped')
    args = parser.parse_args()
    if not shutil.which('shellcheck'):
        print('shellcheck is not installed')
        sys.exit(1 if args.require else project.SKIPPED)
    scripts = [path for path in project.files(args.root) if is_shell(args.root / path)]
    if not scripts:
        sys.exit('FAIL: no shell script found')
    result = project.run('shellcheck', *scripts, cwd=args.root)
    print(result.stdout + result.stderr, end='')
    print(f'{len(scripts)} scripts')
    sys.exit(1 if result.returncode else 0)


if __name__ == '__main__':
    main()
