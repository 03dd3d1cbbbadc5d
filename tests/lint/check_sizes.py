#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Files of src have at most 600 lines, functions at most 60, or a reason in size-exceptions.txt."""

import re

import project

FILE_LINES = 600
FUNCTION_LINES = 60


def functions(text):
    """Name and number of lines between the braces; kernel style puts both into the first column."""
    start = None
    signature = ''
    lines = text.splitlines()
    for number, line in enumerate(lines):
        if line == '{':
            start = number
            signature = ' '.join(lines[max(0, number - 6):number])
        elif line == '}' and start is not None:
            names = re.findall(r'(\w+)\(', signature.rpartition('}')[2].rpartition(';')[2])
            yield (names[0] if names else '?'), number - start - 1
            start = None


def read_exceptions(path):
    """Lines "file function-or-* lines reason"."""
    exceptions = {}
    for line in path.read_text('utf-8').splitlines() if path.exists() else ():
        if line and not line.startswith('#'):
            file, name, limit, _ = line.split(maxsplit=3)
            exceptions[file, name] = int(limit)
    return exceptions


def sizes(root):
    for path in project.files(root):
        if path.parts[0] == 'src' and path.suffix in ('.c', '.h'):
            text = (root / path).read_text('utf-8')
            yield path.as_posix(), '*', len(text.splitlines()), FILE_LINES
            for name, lines in functions(text):
                yield path.as_posix(), name, lines, FUNCTION_LINES


def check(root, exceptions):
    needed = set()
    for file, name, lines, limit in sizes(root):
        if lines > limit:
            needed.add((file, name))
            if lines > exceptions.get((file, name), limit):
                yield f'{file}: {name if name != "*" else "the file"} has {lines} lines, more than {limit}'
    for file, name in exceptions.keys() - needed:
        yield f'size-exceptions.txt: {file} {name} needs no exception'


def main():
    args = project.arguments(__doc__).parse_args()
    project.end(check(args.root, read_exceptions(args.root / 'tests/lint/size-exceptions.txt')))


if __name__ == '__main__':
    main()
