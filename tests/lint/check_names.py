#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Nothing in the tree depends on the machine it was made on: no local path, no package mirror."""

import re

import project

FIXED_TEMPORARY = 'a fixed name below /tmp: use mktemp or the build folder'
PATTERNS = (
    (r'(?<![\w.$}/])/(?:home|Users)/\w', 'a home directory'),
    (r'(?<![\w.$}/])/root/[.]', 'a home directory'),
    (r'(?<![\w.$}/])/(?:work|workspace|builds?|mnt/\w+|srv/\w+)/\w', 'a directory of one machine'),
    (r'(?<![\w.$}/])/tmp/(?!\w*-?\w*-?X{6})[\w.-]', FIXED_TEMPORARY),
    (r'https?://[\w.:-]*\b(?:mirrors?|proxy|artifactory|nexus|cache)\b', 'a package mirror'),
    (r'https?://[\w.:-]+/(?:debian|ubuntu)\b', 'a package mirror'),
    (r'\b(?:deb|ftp|security|snapshot|archive)\.(?:\w+\.)?(?:debian|ubuntu)\.\w+', 'a package mirror'),
)


def check(root):
    for path in project.files(root):
        text = project.text_of(root / path)
        for number, line in enumerate((text or '').splitlines(), 1):
            for pattern, what in PATTERNS:
                if what == FIXED_TEMPORARY and path.parts[:2] == ('tests', 'lab'):
                    continue  # that is the /tmp of a simulated host
                if match := re.search(pattern, line):
                    yield f'{path}:{number}: {what}: {match.group()}'


def main():
    args = project.arguments(__doc__).parse_args()
    project.end(check(args.root))


if __name__ == '__main__':
    main()
