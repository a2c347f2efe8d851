"""The tests of pgjdbc, which are in the source archive that it publishes for Maven, with a pom.xml. Those for TLS,
GSS, SSPI and for several servers leave themselves out when there are none."""

import re
import shutil
import xml.etree.ElementTree as ET

from rig.machine import clean_environment

from . import outcome, source
from .fetched_suite import FetchedSuite
from .process import run_limited

VERSION = "42.7.7"
ARCHIVE = f"org.postgresql:postgresql:{VERSION}:tar.gz:jdbc-src"
SUREFIRE = "3.5.2"  # the one that its pom.xml names is too old for its own JUnit
LIMIT = 2 * 60 * 60  # seconds
QUICK = ("ConnectionTest", "BatchExecuteTest", "CursorFetchTest", "NotifyTest", "PreparedStatementTest",
         "ServerPreparedStmtTest", "StatementTest", "AutoRollbackTest", "CopyTest")
LEFT_OUT = "**/ConnectTimeoutTest*"  # asks for a host that is not there, beyond this machine


class Pgjdbc(FetchedSuite):
    name = "pgjdbc"
    version = VERSION

    def prepare(self, _):
        self._cache.mkdir(exist_ok=True)
        if not self._source.exists():
            source.run(*self._maven(), "dependency:copy", f"-Dartifact={ARCHIVE}", f"-DoutputDirectory={self._cache}",
                       cwd=self._cache)
            source.unpack(self._cache / f"postgresql-{VERSION}-jdbc-src.tar.gz", self._source)
        # Compiled where it is, which Maven does once.
        source.run(*self._maven(), "test-compile", cwd=self._source)

    @staticmethod
    def fill(database):
        # A test looks for the name of that database.
        database.psql("CREATE EXTENSION hstore", "CREATE DATABASE test")

    def run(self, way, database, directory):
        host, port = way.where(self.sockets)
        tests = self._options.tests or (QUICK if self._options.quick else ())
        values = {"test.url.PGHOST": host, "test.url.PGPORT": port, "test.url.PGDBNAME": self.database,
                  "user": database.user, "password": database.password,
                  "privilegedUser": database.user, "privilegedPassword": database.password,
                  "surefire.excludes": LEFT_OUT}
        if tests:
            values["test"] = ",".join(to_maven(test) for test in tests)
        reports = self._source / "target" / "surefire-reports"
        shutil.rmtree(reports, ignore_errors=True)
        run_limited([*self._maven(), "surefire:test", *(f"-D{name}={value}" for name, value in values.items())],
                    directory / "output", seconds=LIMIT, cwd=self._source, environment=clean_environment())
        reports.mkdir(exist_ok=True)
        shutil.copytree(reports, directory / "reports")
        return read_reports(reports)

    def _maven(self):
        return ["mvn", "--batch-mode", "--quiet", f"-Dmaven.repo.local={self._cache / 'repository'}",
                f"-Dmaven-surefire-plugin.version={SUREFIRE}"]

    @staticmethod
    def keepsakes(directory):
        return {"reports": directory / "reports"}


def to_maven(name):
    """As reports name a test, package.Class.method(Type)[1], to Class#method; a class as it is."""
    start, _, method = re.split(r"[(\[]", name)[0].rpartition(".")
    return f"{start}#{method}" if method[:1].islower() else name


def read_reports(directory):
    outcomes = {}
    for report in sorted(directory.glob("TEST-*.xml")):
        for case in ET.parse(report).getroot().iter("testcase"):
            name = f"{case.get('classname')}.{case.get('name')}"
            word = next((word for tag, word in (("failure", outcome.FAILED), ("error", outcome.FAILED),
                                                ("skipped", outcome.SKIPPED)) if case.find(tag) is not None),
                        outcome.PASSED)
            # A test with parameters has several of one name.
            if outcomes.get(name) != outcome.FAILED:
                outcomes[name] = word
    return outcomes
