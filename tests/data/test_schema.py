#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""doc/schema/host-1.json says what the library writes: no more, no less.

The tables of the library and the schema are held against each other key by key, and each check
is shown a fault that it must see.
"""

import argparse
import copy
import json
import pathlib
import subprocess
import sys

import jsonschema  # Debian: python3-jsonschema

HERE = pathlib.Path(__file__).resolve().parent
SCHEMA = HERE.parent.parent / 'doc' / 'schema' / 'host-1.json'
HEAD = {'schema', 'schema_version'}


def resolve(schema, part):
    """The part itself, or what its $ref points to, with the part's own keys on top."""
    if '$ref' in part:
        return {**resolve(schema, schema['$defs'][part['$ref'].removeprefix('#/$defs/')]), **part}
    return part


def field_drift(where, field, part):
    """One fact: its type, words, and that the schema tells what it is."""
    if field['type'] == 'str' and part.get('type') != 'string':
        yield f'{where}: is a string'
    if field['type'] == 'u64' and (part.get('type'), part.get('minimum')) != ('integer', 0):
        yield f'{where}: is an integer of 0 or more'
    if field['type'] == 'enum' and part.get('enum') != field['words']:
        yield f'{where}: is one of {field["words"]}, not of {part.get("enum")}'
    if not part.get('description'):
        yield f'{where}: has no description'


def drift(schema, part, rule, where=''):
    """Where the schema differs from the tables."""
    known = set(rule['fields']) | set(rule['lists']) | (HEAD if not where else set())
    for name in sorted(known - set(part['properties'])):
        yield f'{where}/{name}: is not in the schema'
    for name in sorted(set(part['properties']) - known):
        yield f'{where}/{name}: is in the schema only'
    for name, field in rule['fields'].items():
        if name in part['properties']:
            yield from field_drift(f'{where}/{name}', field, resolve(schema, part['properties'][name]))
    for name, rules in rule['lists'].items():
        if name not in part['properties']:
            continue
        entry = part['properties'][name]
        if entry.get('maxItems') != rules['max_length']:
            yield f'{where}/{name}: has up to {rules["max_length"]} entries'
        yield from drift(schema, resolve(schema, entry['items']), rules['item'], f'{where}/{name}')


def invalid(schema, document):
    return [f'/{"/".join(map(str, error.absolute_path))}: {error.message}'
            for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def changed(value, *path, to=None):
    """A copy with another value at path; None takes it away."""
    result = copy.deepcopy(value)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    if to is None:
        del inner[path[-1]]
    else:
        inner[path[-1]] = to
    return result


def seeded_drift(schema, rules):
    vf = ('$defs', 'vf', 'properties')
    faults = {
        'a key less': changed(schema, *vf, 'representor'),
        'a key more': changed(schema, *vf, 'colour', to={'type': 'string', 'description': 'x'}),
        'another type': changed(schema, *vf, 'index', 'type', to='string'),
        'a word less': changed(schema, '$defs', 'answer', 'enum', to=['yes']),
        'no description': changed(schema, *vf, 'index', 'description'),
        'another limit': changed(schema, 'properties', 'pfs', 'maxItems', to=1),
        'a list less': changed(schema, '$defs', 'pf', 'properties', 'nv'),
    }
    return [f'{name} was not noticed' for name, fault in faults.items() if not list(drift(fault, fault, rules))]


def seeded_documents(schema, snapshot):
    first_vf = ('pfs', 0, 'vfs', 0)
    faults = {
        'another schema': changed(snapshot, 'schema', to='mlx5lm.plan'),
        'no version': changed(snapshot, 'schema_version'),
        'a number as a string': changed(snapshot, 'kernel_tainted', to='0'),
        'a negative number': changed(snapshot, 'kernel_tainted', to=-1),
        'another word': changed(snapshot, 'iommu_active', to='maybe'),
        'no address': changed(snapshot, *first_vf, 'bdf'),
        'a bad address': changed(snapshot, *first_vf, 'bdf', to='../etc'),
        'a large index': changed(snapshot, *first_vf, 'index', to=65536),
        'a control character': changed(snapshot, 'hostname', to='a\nb'),
    }
    missed = [f'{name} was not noticed' for name, fault in faults.items() if not invalid(schema, fault)]
    newer = changed(snapshot, 'of_a_newer_library', to=[{}])
    return missed + [f'an unknown key is refused: {error}' for error in invalid(schema, newer)]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--print', required=True, help='print_snapshot')
    args = parser.parse_args()
    schema = json.loads(SCHEMA.read_text('utf-8'))
    jsonschema.Draft202012Validator.check_schema(schema)
    printed = json.loads(subprocess.run([args.print], capture_output=True, text=True, check=True).stdout)
    checks = {
        'the schema and the tables agree': list(drift(schema, schema, printed['rules'])),
        'a snapshot with every fact is valid': invalid(schema, printed['snapshot']),
        'drift is noticed': seeded_drift(schema, printed['rules']),
        'bad documents are noticed': seeded_documents(schema, printed['snapshot']),
    }
    for path in sorted(HERE.glob('hosts/*/snapshot.json')):
        checks[f'{path.parent.name} is valid'] = invalid(schema, json.loads(path.read_text('utf-8')))
    print(f'1..{len(checks)}')
    for number, (name, problems) in enumerate(checks.items(), 1):
        print(f'{"not " if problems else ""}ok {number} - {name}')
        for problem in problems:
            print(f'# {problem}')
    sys.exit(1 if any(checks.values()) else 0)


if __name__ == '__main__':
    main()
