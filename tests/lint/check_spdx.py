#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every file that can carry one has an SPDX line, with the licence of its folder."""

import re

import project

# the first that fits
LICENSES = (
    ('tests/lab/sim/', 'GPL-2.0-only'),  # kernel modules
    ('tests/lab/vfio/', 'GPL-2.0-only'),
    ('examples/', 'MIT-0'),
    ('bindings/', 'MIT-0'),
    ('', 'LGPL-2.1-or-later'),
)
# prose, data formats without comments, recorded data, and files too small to be anyone's work
EXEMPT_SUFFIXES = {'.md', '.json', '.abi', '.xml', '.png', '.svg', '.cast'}
EXEMPT_NAMES = re.compile(r'(^|/)(COPYING|LICENSE|LICENSES/.*|\.gitignore|\.gitattributes)[^/]*$|^tests/data/|/corpus/')
LINES = 3  # below a #! line there may be one more


def check(root):
    for path in project.files(root):
        name = path.as_posix()
        text = project.text_of(root / path)
        if not text or path.suffix in EXEMPT_SUFFIXES or EXEMPT_NAMES.search(name):
            continue
        license_ = next(license_ for folder, license_ in LICENSES if name.startswith(folder))
        match = re.search(r'SPDX-License-Identifier: *([\w.+() -]*[\w.+)])', '\n'.join(text.splitlines()[:LINES]))
        if not match:
            yield f'{name}: no SPDX-License-Identifier in its first {LINES} lines (here: {license_})'
        elif match.group(1) != license_:
            yield f'{name}: {match.group(1)}, but the licence of this folder is {license_}'


def main():
    args = project.arguments(__doc__).parse_args()
    project.end(check(args.root))


if __name__ == '__main__':
    main()
