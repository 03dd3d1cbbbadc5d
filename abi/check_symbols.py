#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The library exports what the public headers declare, each under its recorded node."""

import re

import headers
import register


def main():
    args = register.arguments(__doc__).parse_args()
    nodes = register.read_map(args.abi / 'libmlx5lm.map')
    mapped = register.map_symbols(nodes)
    recorded = register.read_symbols(args.abi / 'symbols.txt')
    exported = register.exported_symbols(args.library)
    declared = set(headers.parse_directory(args.include).functions)
    names = [name for node in nodes for name in node.functions]
    failures = [
        *(f'{symbol} was removed or moved to another node' for symbol in sorted(recorded - exported)),
        *(f'{symbol} is exported but not recorded' for symbol in sorted(exported - recorded)),
        *(f'{symbol} is recorded but not in the map' for symbol in sorted(recorded - mapped)),
        *(f'{symbol} is in the map but not recorded' for symbol in sorted(mapped - recorded)),
        *(f'{name} is in the map but no public header declares it' for name in sorted(set(names) - declared)),
        *(f'{name} is declared but not in the map' for name in sorted(declared - set(names))),
        *(f'{name} is in two nodes' for name in sorted({name for name in names if names.count(name) > 1})),
        *(f'{symbol}: a public symbol is spelled mlx5lm_name@@MLX5LM_1.0'
          for symbol in sorted(exported)
          if not re.fullmatch(r'mlx5lm_[a-z0-9_]+@@MLX5LM_\d+\.\d+', symbol)),
        *check_nodes(nodes, register.node_states(args.abi / 'HISTORY.md')),
    ]
    if register.soname(args.library) != 'libmlx5lm.so.1':
        failures.append(f'the soname is {register.soname(args.library)}, and must be libmlx5lm.so.1 for good')
    register.end(failures, 'If this is meant, see abi/README.md and run abi/update.py.')


def check_nodes(nodes, states):
    parent = None
    for node in nodes:
        if node.parent != parent:
            yield f'{node.name} must follow {parent or "no node"}, not {node.parent}'
        if node.name not in states:
            yield f'{node.name} has no heading "## {node.name} (open)" in HISTORY.md'
        parent = node.name
    for node in nodes[:-1]:
        if states.get(node.name) == 'open':
            yield f'{node.name} is open although a later node exists'


if __name__ == '__main__':
    main()
