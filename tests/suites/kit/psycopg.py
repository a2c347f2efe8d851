"""The tests of psycopg 3. They are not in its packages: from its repository, or from --source."""

import shutil

from rig.machine import clean_environment

from . import outcome, source
from .process import INSIDE, run_limited
from .python_suite import PythonSuite

VERSION = "3.2.3"
REPOSITORY = "https://github.com/psycopg/psycopg"
REQUIREMENTS = (f"psycopg[binary]=={VERSION}", "psycopg-pool==3.2.3", "pytest==8.3.3", "anyio==4.6.2.post1",
                "pytest-timeout==2.3.1", "dnspython==2.7.0", "shapely==2.0.6", "numpy==1.26.4",
                "pproxy==2.7.8")
LIMIT = 60 * 60  # seconds
TEST_LIMIT = 60
# Tests that exist twice are run once: the other half says async.
QUICK = ["-m", "not slow", *(f"tests/test_{name}.py" for name in (
    "connection", "copy", "cursor", "cursor_server", "notify", "pipeline", "prepared", "psycopg_dbapi20", "tpc",
    "transaction", "typeinfo"))]


class Psycopg(PythonSuite):
    name = "psycopg"
    version = VERSION

    def prepare(self, _):
        self._cache.mkdir(exist_ok=True)
        if not self._source.exists():
            source.run("git", "clone", "--quiet", "--depth", "1", "--branch", VERSION, REPOSITORY, self._source)
        self._environment = source.Environment(self._cache / "environment", self._options.python)
        self._environment.pip("install", "--quiet", *REQUIREMENTS)

    def run(self, way, database, directory):
        place = directory / "work"
        place.mkdir()
        shutil.copytree(self._source / "tests", place / "tests")
        shutil.copy(self._source / "pyproject.toml", place)
        host, port = way.where(self.sockets)
        address = (f"host={host} port={port} user={database.user} password={database.password} "
                   f"dbname={database.database}")
        selected = self._options.tests or (QUICK if self._options.quick else ["tests"])
        command = [self._environment.python, "-B", "-m", "pytest", "-p", "pytest_outcomes",
                   f"--timeout={TEST_LIMIT}", f"--test-dsn={address}", "--tb=short", *selected]
        results = directory / "outcomes"
        run_limited(command, directory / "output", seconds=LIMIT, cwd=place,
                    environment=clean_environment(PYTHONPATH=str(INSIDE), OUTCOMES=str(results)))
        return outcome.collect(results)
