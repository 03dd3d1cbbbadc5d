#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The C example of README.md compiles against the public headers, and is short."""

import re

import project

MAX_LINES = 32


def check(root):
    examples = re.findall(r'^```c\n(.*?)^```$', (root / 'README.md').read_text('utf-8'), re.M | re.S)
    if not examples:
        yield 'README.md: no C example'
    for example in examples:
        lines = example.count('\n')
        if lines > MAX_LINES:
            yield f'README.md: the example has {lines} lines, more than {MAX_LINES}'
        done = project.run('gcc', '-x', 'c', '-std=c11', '-Wall', '-Wextra', '-Wno-unused-parameter', '-Werror',
                           '-fsyntax-only', '-I', root / 'include', '-', input=example)
        if done.returncode:
            yield f'README.md: the example does not compile:\n{done.stderr}'


def main():
    args = project.arguments(__doc__).parse_args()
    project.end(check(args.root))


if __name__ == '__main__':
    main()
