#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The findings of mlx5lm_check() are those of doc/findings.md, one entry each, in the same order.

The list is src/core/check_ids.c; the rules, src/core/check_*.c, use no other id, and each of them.
An entry says what it is about, why it matters, where that is written, and what mends it.
"""

import re

import project

ID = r'[a-z0-9_]+\.[a-z0-9_]+'
PARTS = ('Why', 'Source', 'Remedy')
# The module is a macro in the rules.
MACROS = {'VARIANT_DRIVER': 'mlx5_vfio_pci'}


def listed_ids(root):
    text = (root / 'src/core/check_ids.c').read_text('utf-8')
    return re.findall(r'^\t"([^"]+)",$', text, re.M)


def documented(root):
    """Ids and what their entries say."""
    text = (root / 'doc/findings.md').read_text('utf-8')
    text = re.search(r'^## mlx5lm_check\(\)$(.*?)(^## |\Z)', text, re.M | re.S).group(1)
    parts = re.split(r'^#### `([^`]+)`$', text, flags=re.M)[1:]
    return list(zip(parts[::2], parts[1::2]))


def used_ids(root):
    """Strings of the rules that look like an id and are no format, file name or version."""
    for path in [*sorted((root / 'src/core').glob('check_*.c')), root / 'src/core/check.c', root / 'src/core/vf_ready.c']:
        if path.name == 'check_ids.c':
            continue
        text = path.read_text('utf-8')
        for macro, value in MACROS.items():
            text = text.replace(f'" {macro}', f'{value}"')
        for match in re.finditer(rf'"({ID}|privileges)"', text):
            yield match.group(1), f'{path.relative_to(root)}:{text.count(chr(10), 0, match.start()) + 1}'


def check(root):
    ids = listed_ids(root)
    entries = documented(root)
    names = [name for name, _ in entries]
    for name in ids:
        if name not in names:
            yield f'doc/findings.md: no entry for {name}'
    for name in names:
        if name not in ids:
            yield f'doc/findings.md: {name} is not in src/core/check_ids.c'
    if sorted(ids) == sorted(names) and ids != names:
        yield 'doc/findings.md: the entries are not in the order of src/core/check_ids.c'
    for name in {name for name in names if names.count(name) > 1}:
        yield f'doc/findings.md: {name} has two entries'
    for name, text in entries:
        for part in PARTS:
            if not re.search(rf'^\* {part}: \S', text, re.M):
                yield f'doc/findings.md: the entry of {name} has no "{part}:"'
        if not re.match(r'\s*\([a-z;, ]+\) \S', text):
            yield f'doc/findings.md: the entry of {name} does not begin with its statuses'
    used = dict(used_ids(root))
    for name, where in used.items():
        if name not in ids:
            yield f'{where}: {name} is not in src/core/check_ids.c'
    for name in ids:
        if name not in used:
            yield f'src/core/check_ids.c: no rule makes {name}'


def main():
    args = project.arguments(__doc__).parse_args()
    project.end(check(args.root))


if __name__ == '__main__':
    main()
