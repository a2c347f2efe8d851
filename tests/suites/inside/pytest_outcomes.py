"""A pytest plugin: a line for each test that ended, as it ends, in the file that OUTCOMES names."""

import json
import os

RESULTS = open(os.environ["OUTCOMES"], "a", buffering=1)


def pytest_runtest_logreport(report):
    if report.when == "call" or not report.passed:
        RESULTS.write(json.dumps([report.nodeid, report.outcome]) + "\n")
