#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A stand-in for mstconfig on a host of the lab, whose simulated card has no NV configuration.

Its table is that of mstconfig 4.21, made from the file of values: {"NUM_OF_VFS": [default, current, next], ...}.
Every call is noted.
"""

import json
import pathlib
import sys

VALUES = pathlib.Path('/run/nv-values.json')
CALLS = pathlib.Path('/run/nv-calls')
TEXTS = {'SRIOV_EN': ['False(0)', 'True(1)'],
         'VF_MIGRATION_MODE': ['DEVICE_DEFAULT(0)', 'MIGRATION_DISABLED(1)', 'MIGRATION_ENABLED(2)'],
         'LINK_TYPE_P1': [None, 'IB(1)', 'ETH(2)'], 'LINK_TYPE_P2': [None, 'IB(1)', 'ETH(2)']}
HEAD = '''
Device #1:
----------

Device type:    ConnectX7
Device:         {device}

Configurations:                              Default         Current         Next Boot'''


def row(name, values):
    texts = [TEXTS[name][value] if name in TEXTS else str(value) for value in values]
    changed = '*' if values[2] != values[1] else ' '
    return f'{changed}        {name:<36}' + ''.join(f'{text:<15} ' for text in texts)


def main(words):
    with CALLS.open('a', encoding='utf-8') as calls:
        print(json.dumps(words), file=calls)
    if words == ['--version']:
        print('mstconfig, mstflint 4.21.0, Git SHA Hash: N/A')
        return 0
    values = json.loads(VALUES.read_text())
    for verb in ('q', 'query', 'set'):
        if verb in words:
            options, names = words[:words.index(verb)], words[words.index(verb) + 1:]
            break
    else:
        return 3
    if '-j' in options:
        print('-E- invalid argument: -j')
        return 3
    for name in names if verb == 'set' else ():
        name, _, value = name.partition('=')
        values[name][2] = int(value, 0)
    unknown = [name for name in names if name.partition('=')[0] not in values]
    if unknown or (verb == 'set' and '-y' not in options and '--yes' not in options):
        print(f"-E- The Device doesn't support {unknown} parameter")
        return 3
    VALUES.write_text(json.dumps(values))
    if verb == 'set':
        print('Applying... Done!\n-I- Please reboot machine to load new configurations.')
        return 0
    print(HEAD.format(device=options[options.index('-d') + 1]))
    for name in names or values:
        print(row(name, values[name]))
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
