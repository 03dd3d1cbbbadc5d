#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""doc/schema/session-1.json says what the library writes of a session: no more, no less; and what is wrong is noticed."""

import argparse
import copy
import json
import pathlib
import subprocess
import sys

import jsonschema  # Debian: python3-jsonschema

SCHEMA = pathlib.Path(__file__).resolve().parents[2] / 'doc' / 'schema' / 'session-1.json'


def closed(schema):
    """The same without keys that it does not list."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    conditions = ('if', 'then', 'else')
    result = {key: value if key in conditions else closed(value) for key, value in schema.items()}
    if result.get('type') == 'object' and 'properties' in result:
        result['additionalProperties'] = False
    return result


def invalid(schema, document):
    return [f'/{"/".join(map(str, error.absolute_path))}: {error.message}'
            for error in jsonschema.Draft202012Validator(schema).iter_errors(document)]


def unused(schema, document, where=''):
    """Keys of the schema that the document with everything in it does not have; what findings have is not its matter."""
    if isinstance(document, list):
        for item in document[:1]:
            yield from unused(schema['items'], item, where)
    if not isinstance(document, dict) or 'properties' not in schema:
        return
    for key, part in schema['properties'].items():
        if key not in document and not where.endswith('/acts'):
            yield f'{where}/{key}: is in the schema only'
        elif key in document:
            yield from unused(part, document[key], f'{where}/{key}')


def missed_faults(schema, whole):
    """Faults of a document that the schema must see."""
    faults = {
        'another schema': lambda it: it.update(schema='mlx5lm.plan'),
        'no version': lambda it: it.pop('schema_version'),
        'an unknown phase': lambda it: it.update(phase='copy'),
        'an unknown reason': lambda it: it.update(reason='because'),
        'no phases': lambda it: it.pop('phases'),
        'a percentage above 100': lambda it: it['numbers'].update(percent=101),
        'a number as a string': lambda it: it['numbers'].update(eta_ms='1'),
        'a negative number': lambda it: it['forecast'].update(downtime_ms=-1),
        'a raised limit without the limit': lambda it: it['acts'][2].pop('downtime_limit_ms'),
        'an address that is none': lambda it: it['pairs'][0].update(source='../etc'),
        'a failure without an error': lambda it: it.pop('error'),
        'a success with an error': lambda it: it.update(phase='completed'),
        'a control character': lambda it: it['error'].update(message='a\nb'),
        'a warning without a remedy': lambda it: it['findings'][0].pop('remedy'),
    }
    for name, fault in faults.items():
        document = copy.deepcopy(whole)
        fault(document)
        if not invalid(schema, document):
            yield f'{name} was not noticed'
    for error in invalid(schema, {**whole, 'of_a_newer_library': [{}]}):
        yield f'an unknown key is refused: {error}'


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--print', required=True, help='print_session')
    args = parser.parse_args()
    schema = json.loads(SCHEMA.read_text('utf-8'))
    jsonschema.Draft202012Validator.check_schema(schema)
    documents = json.loads(subprocess.run([args.print], capture_output=True, text=True, check=True).stdout)
    words = {name: {document[name] for document in documents} for name in ('phase', 'reason')}
    checks = {
        'what is written is valid, and has no key that the schema has not':
            [error for document in documents for error in invalid(closed(schema), document)],
        'what the schema has is written': list(unused(schema, documents[0])),
        'all phases and reasons are in it, and no others':
            [f'{name}: {sorted(words[name] ^ set(schema["$defs"][name]["enum"]))}' for name in words
             if words[name] != set(schema['$defs'][name]['enum'])],
        'faults are noticed': list(missed_faults(schema, documents[0])),
    }
    print(f'1..{len(checks)}')
    for number, (name, problems) in enumerate(checks.items(), 1):
        print(f'{"not " if problems else ""}ok {number} - {name}')
        for problem in problems:
            print(f'# {problem}')
    sys.exit(1 if any(checks.values()) else 0)


if __name__ == '__main__':
    main()
