#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The words that programs compare are in the documents, and no others: kinds of steps, what is found, error codes, reasons.

Each kind of step has a line in doc/plan.md, is in the schema of plans, and has a right in the map of privileges. What
mlx5lm_check() finds is a matter of check_findings.py.
"""

import json
import re

import project

WORD = r'[a-z0-9]+(?:[-_][a-z0-9]+)*'
# section of doc/findings.md -> what makes these findings, and how their ids begin
FINDERS = {
    'mlx5lm_compare()': ('core/compare*.c', r'(?!domain\.|mlx5lm\.)'),
    'mlx5lm_domain_check()': ('core/domain_*.c', r'(?=domain\.)'),
    'mlx5lm_evacuation_new()': ('core/evacuation*.c', r'(?=evacuation\.)'),
    'Sessions': ('*/*.c', r'(?=session\.)'),
}


def table(root, path, name):
    """The texts of a static array of C, whose entries are named."""
    text = (root / path).read_text('utf-8')
    body = re.search(rf'\b{name}\[\w*\] = {{(.*?)^}};', text, re.M | re.S)
    return set(re.findall(r'\] = "([^"]+)"', body.group(1))) if body else set()


def rows(root, path, heading):
    """The words in the first column of the table below a heading."""
    text = (root / path).read_text('utf-8')
    section = re.search(rf'^#+ {heading}\n(.*?)(?=^## |\Z)', text, re.M | re.S)
    cells = re.findall(r'^\| (`[^|]*) \|', section.group(1), re.M) if section else []
    # what stands behind a colon are values of it
    return {word for cell in cells for word in re.findall(rf'`({WORD}(?:\.{WORD})?)`', cell.split(':')[0])}


def entries(root, heading):
    """The ids that have a row or a heading of their own in a section of doc/findings.md."""
    text = (root / 'doc/findings.md').read_text('utf-8')
    section = re.search(rf'^## {re.escape(heading)}\n(.*?)(?=^## |\Z)', text, re.M | re.S)
    cells = re.findall(r'^(?:\| |#### )(`.*?)(?: \||$)', section.group(1), re.M) if section else []
    return {word for cell in cells for word in re.findall(rf'`({WORD}\.{WORD})`', cell)}


def made_ids(root, pattern, beginning):
    """Strings of some files of src that are ids."""
    return {word for path in sorted((root / 'src').glob(pattern))
            for word in re.findall(rf'"({beginning}{WORD}\.{WORD})"', path.read_text('utf-8'))}


def compare(what, wanted, found):
    for word in sorted(wanted - found):
        yield f'{what}: {word} is missing'
    for word in sorted(found - wanted):
        yield f'{what}: {word} is not in the source'


def remedies(root):
    """The reasons of a session, and what helps against each, as "reason: remedy"."""
    text = (root / 'src/core/failure.c').read_text('utf-8')
    names = dict(re.findall(rf'\[(MLX5LM_REASON_\w+)\] = "({WORD})"', text))
    body = re.search(r'\bremedies\[\] = {(.*?)^};', text, re.M | re.S).group(1)
    for name, strings in re.findall(r'\[(\w+)\] =\s*((?:"(?:[^"\\]|\\.)*"\s*)+),', body):
        names[name] += ': ' + ''.join(re.findall(r'"((?:[^"\\]|\\.)*)"', strings))
    return {name for name in names.values() if ': ' in name}


def told_remedies(root):
    """The same of doc/session.md, without its marks."""
    text = (root / 'doc/session.md').read_text('utf-8')
    table = re.search(r'^\| reason \| what to do \|\n\|---\|---\|\n(.*?)\n\n', text, re.M | re.S).group(1)
    cells = re.findall(r'^\| (.*?) \| (.*) \|$', table.replace('`', '').replace('\\|', '|'), re.M)
    return {': '.join(row) for row in cells}


def check(root):
    steps = table(root, 'src/facts.c', 'step_ids')
    if not steps:
        yield 'src/facts.c: no step_ids'
    schema = json.loads((root / 'doc/schema/plan-1.json').read_text('utf-8'))
    yield from compare('doc/plan.md, steps', steps, rows(root, 'doc/plan.md', 'Steps'))
    yield from compare('doc/schema/plan-1.json, steps', steps, set(schema['$defs']['step']['properties']['id']['enum']))
    rights = set(re.findall(rf'^\t{{ "({WORD})",', (root / 'src/sys/privileges.c').read_text('utf-8'), re.M))
    for step in sorted(steps - rights):
        yield f'src/sys/privileges.c: no right for the step {step}'
    found = set(re.findall(rf'"(plan\.{WORD})"', (root / 'src/core/plan_findings.c').read_text('utf-8')))
    if not found:
        yield 'src/core/plan_findings.c: no ids'
    yield from compare('doc/plan.md, findings', found, rows(root, 'doc/plan.md', 'Findings'))
    for heading, (pattern, beginning) in FINDERS.items():
        made = made_ids(root, pattern, beginning)
        if not made:
            yield f'src/{pattern}: no ids'
        yield from compare(f'doc/findings.md, {heading}', made, entries(root, heading))
    codes = table(root, 'src/api/error.c', 'code_names') - {'unknown'}
    if not codes:
        yield 'src/api/error.c: no code_names'
    yield from compare('doc/errors.md', codes, rows(root, 'doc/errors.md', 'Errors'))
    reasons = table(root, 'src/core/failure.c', 'reason_texts') - {'unknown'}
    if not reasons:
        yield 'src/core/failure.c: no reason_texts'
    yield from compare('doc/errors.md, reasons', reasons, rows(root, 'doc/errors.md', 'Reasons'))
    yield from compare('doc/session.md, remedies', remedies(root), told_remedies(root))


def main():
    args = project.arguments(__doc__).parse_args()
    project.end(check(args.root))


if __name__ == '__main__':
    main()
