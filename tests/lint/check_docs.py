#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every public function, callback and enum has a comment that fits its declaration.

Of a function: purpose, each parameter, Return (unless void), Thread, Since. Of a callback: the same
without Thread and Since, which belong to the function that registers it. Of an enum: purpose, each
enumerator, Since.
"""

import re

import project
import headers


def parse_comment(comment):
    """The head line, the names of the @ lines, the text below them."""
    lines = [re.sub(r'^\s*\* ?', '', line) for line in comment.removeprefix('/**').removesuffix('*/').splitlines()]
    lines = [line.rstrip() for line in lines[1:]]
    names, texts = [], {}
    body_start = 1
    for number, line in enumerate(lines[1:], 1):
        match = re.match(r'@(\w+): *(.*)', line)
        if match:
            names.append(match.group(1))
            texts[match.group(1)] = match.group(2)
        elif not line:
            break
        body_start = number + 1
    return (lines[0] if lines else ''), names, texts, '\n'.join(lines[body_start:])


def check_block(declaration, title, names, needed, unwanted=()):
    where = f'{declaration.where()}: {title}'
    if not declaration.comment or not declaration.comment.startswith('/**\n'):
        yield f'{where}: no comment block before it'
        return
    head, written, texts, body = parse_comment(declaration.comment)
    if not re.fullmatch(re.escape(title) + r' - \S.*', head):
        yield f'{where}: the first line is "{title} - purpose", not "{head}"'
    if written != names:
        yield f'{where}: the comment names @{", @".join(written)}; declared are {", ".join(names)}, in this order'
    for name, text in texts.items():
        if not text:
            yield f'{where}: nothing is said of @{name}'
    for word in needed:
        if not re.search(rf'(^|[.)] ){word}: *\S', body, re.MULTILINE):
            yield f'{where}: no "{word}:"'
    for word in unwanted:
        if re.search(rf'^{word}:', body, re.MULTILINE):
            yield f'{where}: "{word}:" but it returns nothing'


def check(api):
    for function in api.functions.values():
        needed = ['Thread', 'Since'] if function.returns == 'void' else ['Return', 'Thread', 'Since']
        yield from check_block(function, f'{function.name}()', [name for _, name in function.parameters], needed,
                               [] if 'Return' in needed else ['Return'])
    for callback in api.callbacks.values():
        void = callback.returns == 'void'
        yield from check_block(callback, callback.name, [name for _, name in callback.parameters],
                               [] if void else ['Return'], ['Return'] if void else [])
    for enum in api.enums.values():
        yield from check_block(enum, f'enum {enum.name}', [name for name, _ in enum.values], ['Since'])


def main():
    args = project.arguments(__doc__).parse_args()
    project.end(check(headers.parse_directory(args.root / 'include')))


if __name__ == '__main__':
    main()
