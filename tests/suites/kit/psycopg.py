"""The tests of psycopg 3. They are not in its packages: from its repository, or from --source."""

import shutil

from . import source
from .python_suite import PYTEST, PythonSuite

VERSION = "3.2.3"
REPOSITORY = "https://github.com/psycopg/psycopg"
REQUIREMENTS = (f"psycopg[binary]=={VERSION}", "psycopg-pool==3.2.3", "anyio==4.6.2.post1", "dnspython==2.7.0",
                "shapely==2.0.6", "numpy==1.26.4", "pproxy==2.7.8", *PYTEST)
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
        return self._pytest(directory, place, f"--test-dsn={address}", "--tb=short", *selected)
