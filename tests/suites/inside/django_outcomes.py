"""Django's test runner with a line for each test that ended, in the file that OUTCOMES names."""

import json
import os
import unittest

from django.test.runner import DiscoverRunner

RESULTS = open(os.environ["OUTCOMES"], "a", buffering=1)


def write(test, word):
    RESULTS.write(json.dumps([test.id(), word]) + "\n")


class OutcomeResult(unittest.TextTestResult):
    def addSuccess(self, test):
        super().addSuccess(test)
        write(test, "passed")

    def addError(self, test, error):
        super().addError(test, error)
        write(test, "failed")

    def addFailure(self, test, error):
        super().addFailure(test, error)
        write(test, "failed")

    def addSubTest(self, test, subtest, error):
        super().addSubTest(test, subtest, error)
        if error:
            write(test, "failed")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        write(test, "skipped")

    def addExpectedFailure(self, test, error):
        super().addExpectedFailure(test, error)
        write(test, "skipped")

    def addUnexpectedSuccess(self, test):
        super().addUnexpectedSuccess(test)
        write(test, "failed")


class OutcomeRunner(DiscoverRunner):
    def get_resultclass(self):
        return OutcomeResult
