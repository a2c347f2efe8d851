"""The tests of asyncpg, which are in its source distribution. Those that start servers of their own leave that
out by themselves when they are told of one."""

import shutil

from . import source
from .python_suite import PYTEST, PythonSuite

VERSION = "0.30.0"
REQUIREMENTS = (f"asyncpg=={VERSION}", "distro==1.9.0", *PYTEST)
QUICK = [f"tests/test_{name}.py" for name in (
    "cache_invalidation", "cancellation", "cursor", "execute", "introspection", "listeners", "pool", "prepare",
    "timeout", "transaction")]
# The first look at asyncpg's sources, the others start servers all the same.
LEFT_OUT = ["--ignore=tests/test__sourcecode.py", "--deselect=tests/test_connect.py::TestConnectionAttributes"]


class Asyncpg(PythonSuite):
    name = "asyncpg"
    version = VERSION
    database = "postgres"  # as some of the tests say by name

    def prepare(self, _):
        self._cache.mkdir(exist_ok=True)
        self._environment = source.Environment(self._cache / "environment", self._options.python)
        if not self._source.exists():
            self._environment.sdist("asyncpg", VERSION, self._source)
        self._environment.pip("install", "--quiet", *REQUIREMENTS)

    def run(self, way, database, directory):
        place = directory / "work"
        place.mkdir()
        # Without asyncpg itself, which is installed: that beside the tests is not compiled.
        shutil.copytree(self._source / "tests", place / "tests")
        host, port = way.where(self.sockets)
        selected = self._options.tests or (QUICK if self._options.quick else ["tests"])
        return self._pytest(directory, place, *LEFT_OUT, "--tb=native", *selected, PGHOST=host, PGPORT=str(port),
                            PGUSER=database.user, PGPASSWORD=database.password, PGDATABASE=self.database)
