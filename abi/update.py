#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Record the ABI that the public headers declare, and print what changed. Run it when that is meant."""

import difflib
import pathlib
import re
import sys
import tempfile

import headers
import register
import skeleton
from check_types import BASELINE


def project_version(include):
    text = (include.parent / 'meson.build').read_text('utf-8')
    return re.search(r"^\s*version: '(\d+\.\d+)", text, re.MULTILINE).group(1)


def update_map(abi, api, version):
    """Nodes that are released do not change; what is new goes into the open one."""
    path = abi / 'libmlx5lm.map'
    nodes = register.read_map(path) if path.exists() else [register.Node('MLX5LM_1.0', [])]
    states = register.node_states(abi / 'HISTORY.md')
    placed = {name for node in nodes for name in node.functions}
    declared = set(api.functions)
    for node in nodes:
        gone = sorted(set(node.functions) - declared)
        if gone and states.get(node.name) == 'released':
            sys.exit(f'FAIL: {node.name} is released; it cannot lose {", ".join(gone)}')
        node.functions = [name for name in node.functions if name in declared]
    if declared - placed:
        if states.get(nodes[-1].name) == 'released':
            name = f'MLX5LM_{version}'
            if states.get(name) != 'open':
                sys.exit(f'FAIL: {nodes[-1].name} is released. New functions need a new node: add the '
                         f'heading "## {name} (open)" to HISTORY.md (the project is at {version}).')
            nodes.append(register.Node(name, [], parent=nodes[-1].name))
        nodes[-1].functions += declared - placed
    register.write_map(path, nodes)
    return nodes


def update_constants(abi, api, version):
    path = abi / 'constants.txt'
    recorded = register.read_constants(path) if path.exists() else {}
    unreadable = [name for name, value in api.numbers() if value is None]
    if unreadable:
        sys.exit(f'FAIL: no written number: {", ".join(unreadable)}')
    register.write_constants(path, {
        name: (value, recorded[name][1] if name in recorded else version)
        for name, value in api.numbers()
    })


def update_baseline(abi, include):
    with tempfile.TemporaryDirectory() as folder:
        library = skeleton.build(include, abi / 'libmlx5lm.map', pathlib.Path(folder))
        text = register.output('abidw', '--headers-dir', include, '--no-corpus-path', '--no-comp-dir-path',
                               '--no-show-locs', library)
    # the one path that abidw has no option to leave out
    (abi / BASELINE).write_text(re.sub(r"(<abi-instr [^>]*)path='[^']*' ?", r'\1', text), 'utf-8')


def main():
    args = register.arguments(__doc__, library=False).parse_args()
    paths = [args.abi / name for name in ('libmlx5lm.map', 'symbols.txt', 'constants.txt', BASELINE)]
    before = {path: path.read_text('utf-8') if path.exists() else '' for path in paths}
    api = headers.parse_directory(args.include)
    version = project_version(args.include)
    nodes = update_map(args.abi, api, version)
    register.write_symbols(args.abi / 'symbols.txt', register.map_symbols(nodes))
    update_constants(args.abi, api, version)
    update_baseline(args.abi, args.include)
    for path in paths:
        report(path, before[path], path.read_text('utf-8'))


def report(path, before, after):
    if before == after:
        print(f'{path.name}: unchanged')
        return
    print(f'{path.name}: changed')
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=''):
        if not line.startswith(('---', '+++', '@@')):
            print(f'  {line[0]} {line[1:].strip()}')


if __name__ == '__main__':
    main()
