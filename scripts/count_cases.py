#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Count the test cases of one run of `meson test`, and name those that did not pass.

A program that reports its cases in TAP counts as its cases, another one as one. A skipped case did
not pass. Prints one line for each that did not pass, and at last "passed failed".
"""

import argparse
import json
import pathlib
import xml.etree.ElementTree

GOOD = {'OK', 'EXPECTEDFAIL'}


def read_programs(path):
    return [json.loads(line) for line in path.read_text('utf-8').splitlines() if line.strip()]


def read_cases(path):
    """Name of a program -> its cases; those in TAP have a testsuite of their own."""
    cases = {}
    for suite in xml.etree.ElementTree.parse(path).getroot().iter('testsuite'):
        for case in suite.iter('testcase'):
            if case.get('classname') == suite.get('name'):
                program = suite.get('name').partition('.')[2]
                cases.setdefault(program, []).append(case)
    return cases


def judge(program, cases):
    """Yields (name, what is wrong or None) for each case."""
    bad = False
    for case in cases:
        wrong = next((word for word in ('failure', 'error', 'skipped') if case.find(word) is not None), None)
        bad = bad or wrong
        yield f'{program["name"]}: {case.get("name")}', wrong
    if program['result'] not in GOOD and not bad:
        # it crashed, ran out of time, or told fewer cases than it planned
        yield program['name'], program['result'].lower()
    elif not cases:
        yield program['name'], None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('logs', type=pathlib.Path, help='meson-logs/LOGBASE, without .json or .junit.xml')
    args = parser.parse_args()
    programs = read_programs(args.logs.with_name(args.logs.name + '.json'))
    cases = read_cases(args.logs.with_name(args.logs.name + '.junit.xml'))
    results = [result for program in programs for result in judge(program, cases.get(program['name'], []))]
    for name, wrong in results:
        if wrong:
            print(f'  {wrong}: {name}')
    failed = sum(1 for _, wrong in results if wrong)
    print(len(results) - failed, failed)


if __name__ == '__main__':
    main()
