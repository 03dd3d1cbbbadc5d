# SPDX-License-Identifier: LGPL-2.1-or-later
"""The files of this folder that say what the ABI is, and the tools that look at a library."""

import argparse
import dataclasses
import os
import pathlib
import re
import subprocess
import sys

PREFIX = 'mlx5lm_'
SKIPPED = 77  # meson's exit status of a test that could not run
LICENSE = 'SPDX-License-Identifier: LGPL-2.1-or-later'


def arguments(description, library=True):
    here = pathlib.Path(__file__).resolve().parent
    parser = argparse.ArgumentParser(description=description)
    if library:
        parser.add_argument('library', type=pathlib.Path, help='libmlx5lm.so.1, with debug information')
    parser.add_argument('--abi', type=pathlib.Path, default=here, help='this folder')
    parser.add_argument('--include', type=pathlib.Path, default=here.parent / 'include',
                        help='the folder of the public headers')
    return parser


def end(failures, remedy=None):
    """End a check: every failure is told, not only the first."""
    for failure in failures:
        print(f'FAIL: {failure}')
    if failures and remedy:
        print(remedy)
    sys.exit(1 if failures else 0)


def tool(*command):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          check=False, env={**os.environ, 'LC_ALL': 'C'})


def output(*command):
    result = tool(*command)
    if result.returncode != 0:
        sys.exit(f'FAIL: {" ".join(map(str, command))}: {result.stderr.strip()}')
    return result.stdout


def exported_symbols(library):
    """Names with their node, such as mlx5lm_check@@MLX5LM_1.0. The nodes themselves are left out."""
    lines = output('nm', '--dynamic', '--defined-only', '--with-symbol-versions', library).splitlines()
    return {fields[2] for fields in map(str.split, lines) if fields[1] != 'A'}


def soname(library):
    match = re.search(r'\(SONAME\).*\[(.*)\]', output('readelf', '--dynamic', '--wide', library))
    return match.group(1) if match else None


def machine(library):
    match = re.search(r'Machine:\s*(.*)', output('readelf', '--file-header', library))
    return match.group(1).strip() if match else 'unknown'


def has_debug_info(library):
    return '.debug_info' in output('readelf', '--section-headers', '--wide', library)


@dataclasses.dataclass
class Node:
    name: str
    functions: list[str]
    parent: str | None = None


def read_map(path):
    text = re.sub(r'/\*.*?\*/', '', path.read_text('utf-8'), flags=re.DOTALL)
    nodes = []
    for name, body, parent in re.findall(r'(\S+)\s*\{(.*?)\}\s*([^\s;]*)\s*;', text, re.DOTALL):
        functions = [word for word in re.findall(r'[\w*]+(?=\s*;)', body) if word != '*']
        nodes.append(Node(name, functions, parent or None))
    return nodes


def write_map(path, nodes):
    blocks = []
    for node in nodes:
        lines = [f'{node.name} {{', 'global:', *(f'\t{name};' for name in sorted(node.functions))]
        if not node.parent:
            lines += ['local:', '\t*;']
        blocks.append('\n'.join(lines) + f'\n}}{" " + node.parent if node.parent else ""};\n')
    comment = (f'/* {LICENSE} */\n'
               '/* Which function is public, since which node. Written by abi/update.py. */\n')
    path.write_text(comment + '\n' + '\n'.join(blocks), 'utf-8')


def map_symbols(nodes):
    return {f'{name}@@{node.name}' for node in nodes for name in node.functions}


def read_list(path):
    lines = path.read_text('utf-8').splitlines()
    return [line.split() for line in lines if line.strip() and not line.startswith('#')]


def read_symbols(path):
    return {fields[0] for fields in read_list(path)}


def write_symbols(path, symbols):
    path.write_text(f'# {LICENSE}\n# Every exported symbol with its node. Written by abi/update.py.\n'
                    + ''.join(f'{symbol}\n' for symbol in sorted(symbols)), 'utf-8')


def read_constants(path):
    """Name -> (value, since)."""
    return {name: (int(value, 0), since) for name, value, since in read_list(path)}


def write_constants(path, constants):
    lines = [f'{name} {value} {since}\n' for name, (value, since) in constants.items()]
    path.write_text(f'# {LICENSE}\n# Every public number: its name, its value, and the version that brought it.\n'
                    '# Written by abi/update.py.\n' + ''.join(lines), 'utf-8')


def node_states(path):
    """Name of a node -> 'open' or 'released', from the headings of HISTORY.md."""
    return dict(re.findall(r'^## (\S+) \((open|released)\b', path.read_text('utf-8'), re.MULTILINE))
