#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""doc/schema/session-journal-1.json refuses what the library refuses, and lists what it writes.

No public function reads or writes the journal of a session by itself, so a program does that which has the library's
own functions in it. What is tried is taken from the schema: each key left out, each bound and what is next to it.
"""

import argparse
import copy
import json
import pathlib
import subprocess
import sys

import jsonschema  # Debian: python3-jsonschema

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
SCHEMA = json.loads((PROJECT / 'doc/schema/session-journal-1.json').read_text('utf-8'))
VALIDATOR = jsonschema.Draft202012Validator
CORPUS = PROJECT / 'tests/fuzz/corpus/session'
# Any value that no key takes.
OTHERS = [None, [], {}, 1.5, '', 'x\ny', -1, 2 ** 63 - 1, True]


def resolve(part):
    """The part itself on top of what its $ref points to."""
    if '$ref' not in part:
        return part
    return {**resolve(SCHEMA['$defs'][part['$ref'].removeprefix('#/$defs/')]), **part}


def leaves(part, path=()):
    """Where a document has values, and what the schema says of each; of a list, the second entry, which has all."""
    part = resolve(part)
    yield path, part
    for key, value in part.get('properties', {}).items():
        yield from leaves(value, (*path, key))
    if part.get('type') == 'array':
        yield from leaves(part['items'], (*path, 1))


def candidates(part):
    """What is allowed at the ends of a range, what is not just outside, words, and other types."""
    for key, step in (('minimum', -1), ('maximum', 1)):
        if key in part:
            yield part[key]
            # jansson has no larger numbers
            if part[key] + step < 2 ** 63:
                yield part[key] + step
    if 'maxLength' in part:
        yield 'x' * part['maxLength']
        yield 'x' * (part['maxLength'] + 1)
    yield from part.get('enum', [])
    yield from ['unknown', '\u007f', '\u00e9', '../x', '00:00.0', '0000:00:20.0', '0000:00:1f.8', '0000:00:1f.7']
    yield from OTHERS


def changed(document, path, value=None, delete=False):
    result = copy.deepcopy(document)
    inner = result
    for key in path[:-1]:
        inner = inner[key]
    if delete:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return result


def variants(document):
    """Documents that differ from this one in one value, and what differs."""
    for path, part in leaves(SCHEMA):
        if not path:
            continue
        yield f'{path} left out', changed(document, path, delete=True)
        for value in candidates(part):
            yield f'{path} = {str(value)[:40]!r}', changed(document, path, value)
        if part.get('type') == 'object':
            yield f'{path} with a key more', changed(document, (*path, 'more'), {'x': 1})
    yield 'another version', changed(document, ('schema_version',), 2)
    yield 'no pairs', changed(document, ('pairs',), [])


def closed(schema):
    """A schema that allows no key but those that it lists."""
    if not isinstance(schema, dict):
        return schema
    result = {key: value if key in ('if', 'then') else closed(value) for key, value in schema.items()}
    if schema.get('type') == 'object' and 'properties' in schema:
        result.setdefault('additionalProperties', False)
    return result


def errors(validator, document):
    return [error.message for error in validator.iter_errors(document)]


def read_all(program, documents):
    """What the library makes of each: a document, or a text that says why it is refused."""
    lines = ''.join(json.dumps(document) + '\n' for document in documents)
    done = subprocess.run([program], input=lines, capture_output=True, text=True, check=True)
    answers = done.stdout.splitlines()
    assert len(answers) == len(documents), f'{len(answers)} answers to {len(documents)} documents'
    return [answer if answer.startswith('refused: ') else json.loads(answer) for answer in answers]


def is_refused(answer):
    return isinstance(answer, str)


def differences(schema, named, answers):
    """Where schema and library are not of one mind. The same VF twice is beyond a schema."""
    validator = VALIDATOR(schema)
    refused = 0
    for (name, document), answer in zip(named, answers):
        found = errors(validator, document)
        refused += bool(found)
        if bool(found) != is_refused(answer) and 'twice' not in str(answer):
            yield f'{name}: schema: {found or "valid"}, library: {str(answer)[:200]}'
    if not 200 < refused < len(named) - 50:
        yield f'{refused} of {len(named)} are refused: what is tried is not worth much'


def written(program, whole):
    """All that the library writes is listed, and all that is listed it writes."""
    [answer] = read_all(program, [whole])
    if is_refused(answer):
        return [answer]
    problems = errors(VALIDATOR(closed(SCHEMA)), answer)
    for path, _ in leaves(SCHEMA):
        inner = answer
        for key in path:
            if isinstance(inner, dict) and key not in inner:
                problems.append(f'{path} is in the schema only')
                break
            inner = inner[key]
    if answer != whole:
        problems.append('what is written is not what was read')
    return problems


def corpus_files():
    for path in sorted(CORPUS.iterdir()):
        try:
            yield path.name, json.loads(path.read_bytes())
        except ValueError:
            continue


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('program', help='read_session_journal')
    args = parser.parse_args()
    VALIDATOR.check_schema(SCHEMA)
    files = dict(corpus_files())
    whole = files['good-two-vfs']
    named = list(variants(whole))
    answers = read_all(args.program, [document for _, document in named])
    # A schema with one bound wrong, and one with a key less, have to be noticed.
    loose = changed(SCHEMA, ('properties', 'pid', 'maximum'), 2 ** 40)
    forgotten = changed(SCHEMA, ('required',), [key for key in SCHEMA['required'] if key != 'uuid'])
    checks = {
        'schema and library refuse the same': list(differences(SCHEMA, named, answers)),
        'what is written is what is listed': written(args.program, whole),
        'a wrong bound is noticed': [] if list(differences(loose, named, answers)) else ['it is not'],
        'a key less is noticed': [] if list(differences(forgotten, named, answers)) else ['it is not'],
    }
    for name, document in files.items():
        # the same key or VF twice, and depth, are beyond a schema
        if name in ('bad-key-twice', 'bad-vf-twice', 'bad-deep'):
            continue
        found = errors(VALIDATOR(SCHEMA), document)
        checks[f'{name} of the corpus'] = [] if bool(found) == name.startswith('bad-') else found or ['is valid']
    print(f'1..{len(checks)}')
    for number, (name, problems) in enumerate(checks.items(), 1):
        print(f'{"not " if problems else ""}ok {number} - {name}')
        for problem in problems:
            print(f'# {problem}')
    sys.exit(1 if any(checks.values()) else 0)


if __name__ == '__main__':
    main()
