# SPDX-License-Identifier: LGPL-2.1-or-later
"""Run the unittest cases of the main module and report each in TAP, so that meson knows them one by one."""

import sys
import unittest


class Result(unittest.TestResult):
    def __init__(self):
        super().__init__()
        self.number = 0
        self.faults = None
        self.skipped_why = None

    def startTest(self, test):
        super().startTest(test)
        self.faults = []
        self.skipped_why = None

    def stopTest(self, test):
        super().stopTest(test)
        self.number += 1
        skip = f' # SKIP {self.skipped_why}' if self.skipped_why else ''
        print(f'{"not ok" if self.faults else "ok"} {self.number} - {test.id().removeprefix("__main__.")}{skip}')
        for line in '\n'.join(self.faults).splitlines():
            print(f'# {line}')
        sys.stdout.flush()
        self.faults = None

    def add_fault(self, test, error):
        text = self._exc_info_to_string(error, test)
        if self.faults is None:  # outside of any test: setUpClass or the like
            sys.exit(f'Bail out! {test}\n{text}')
        self.faults.append(text)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        if self.faults is None:  # the whole class: no test of it is started
            self.startTest(test)
            self.skipped_why = reason
            self.stopTest(test)
        self.skipped_why = reason

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.add_fault(test, err)

    def addError(self, test, err):
        super().addError(test, err)
        self.add_fault(test, err)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.add_fault(subtest, err)


def choose(suite, wanted):
    """The cases of a suite that are wanted, as a suite."""
    return unittest.TestSuite(choose(part, wanted) if isinstance(part, unittest.TestSuite) else part
                              for part in suite if isinstance(part, unittest.TestSuite) or wanted(part))


def main(wanted=None):
    suite = unittest.defaultTestLoader.loadTestsFromModule(sys.modules['__main__'])
    if wanted:
        suite = choose(suite, wanted)
    print(f'1..{suite.countTestCases()}')
    result = Result()
    suite.run(result)
    sys.exit(0 if result.wasSuccessful() else 1)
