"""The tests of Django, with server-side cursors."""

from rig.machine import clean_environment

from . import outcome, source
from .process import INSIDE, run_limited
from .python_suite import PythonSuite

VERSION = "3.2.25"
REQUIREMENTS = ("psycopg2-binary==2.9.9", "asgiref==3.8.1", "pytz==2024.2", "sqlparse==0.5.1", "jinja2==3.1.4",
                "PyYAML==6.0.2", "Pillow==10.4.0", "docutils==0.21.2", "bcrypt==4.2.0", "tblib==3.0.0", "setuptools<80")
LIMIT = 3 * 60 * 60  # seconds
QUICK = ["backends", "basic", "transactions", "delete", "queries"]


class Django(PythonSuite):
    name = "django"
    version = VERSION

    def prepare(self, _):
        self._cache.mkdir(exist_ok=True)
        self._environment = source.Environment(self._cache / "environment", self._options.python)
        if not self._source.exists():
            self._environment.sdist("Django", VERSION, self._source)
        self._environment.pip("install", "--quiet", *REQUIREMENTS)

    def fill(self, database):
        database.psql("CREATE DATABASE suite_other")

    def run(self, way, database, directory):
        host, port = way.where(self.sockets)
        selected = self._options.tests or (QUICK if self._options.quick else [])
        # keepdb: the other clients are in the database already, so it can be neither made nor dropped.
        command = [self._environment.python, "-B", "-W", "ignore", "runtests.py", "--settings=django_settings",
                   "--parallel=1", "--keepdb", "--noinput", *selected]
        results = directory / "outcomes"
        environment = clean_environment(
            PYTHONPATH=f"{INSIDE}:{self._source}", OUTCOMES=str(results), SUITE_HOST=host, SUITE_PORT=str(port),
            SUITE_USER=database.user, SUITE_PASSWORD=database.password)
        run_limited(command, directory / "output", seconds=LIMIT, cwd=self._source / "tests", environment=environment)
        return outcome.collect(results)
