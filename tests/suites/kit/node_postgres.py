"""The tests of node-postgres that want a database: of pg, pg-pool and pg-cursor. They are not in its packages: from
its repository, or from --source."""

import json
import shutil

from rig.machine import clean_environment

from . import outcome, source
from .fetched_suite import FetchedSuite
from .process import INSIDE, run_limited

VERSION = "8.23.0"
REPOSITORY = "https://github.com/brianc/node-postgres"
REQUIREMENTS = (f"pg@{VERSION}", "pg-pool@3.14.0", "pg-cursor@2.22.0", "async@2.6.4", "bluebird@3.7.2", "co@4.6.0",
                "pg-copy-streams@0.3.0", "mocha@11.7.5", "expect.js@0.3.1", "lodash@4.17.21")
LIMIT = 30 * 60  # seconds
INTEGRATION = "packages/pg/test/integration"
MOCHA = ("packages/pg-pool/test", "packages/pg-cursor/test")
QUICK = (f"{INTEGRATION}/client",)

LEFT_OUT = (
    # It ends every idle session of the server, the other clients' too.
    f"{INTEGRATION}/connection-pool/error-tests.js: errors emitted on checked-out clients",
    f"{INTEGRATION}/client/ssl-tests.js: can connect with ssl",
)


class NodePostgres(FetchedSuite):
    name = "node_postgres"
    version = VERSION

    def prepare(self, _):
        self._cache.mkdir(exist_ok=True)
        if not self._source.exists():
            source.run("git", "clone", "--quiet", "--depth", "1", "--branch", f"pg@{VERSION}", REPOSITORY,
                       self._source)
        self._modules = self._cache / f"modules_{VERSION}"
        if not self._modules.exists():
            self._modules.mkdir()
            source.run("npm", "install", "--prefix", self._modules, "--no-audit", "--no-fund", "--ignore-scripts",
                       "--cache", self._cache / "npm", *REQUIREMENTS, cwd=self._modules)

    def fill(self, database):
        """Nothing but the database."""

    def run(self, way, database, directory):
        place = directory / "work"
        for package in ("pg", "pg-pool", "pg-cursor"):
            shutil.copytree(self._source / "packages" / package, place / "packages" / package)
        # What the repository builds is taken from its packages.
        (place / "node_modules").symlink_to(self._modules / "node_modules")
        host, port = way.where(self.sockets)
        results = directory / "outcomes"
        environment = clean_environment(
            OUTCOMES=str(results), LEFT_OUT=json.dumps(LEFT_OUT), PGTESTNOSSL="true", PGHOST=host, PGPORT=str(port),
            PGUSER=database.user, PGPASSWORD=database.password, PGDATABASE=database.database,
            SCRAM_TEST_PGUSER=database.user, SCRAM_TEST_PGPASSWORD=database.password)
        run_limited(["node", INSIDE / "node_files.js", *self._selected(place)], directory / "output", seconds=LIMIT,
                    cwd=place, environment=environment)
        return {name: word if word in (outcome.PASSED, outcome.SKIPPED) else outcome.FAILED
                for name, word in outcome.collect(results).items()}

    def _selected(self, place):
        """Files of plain tests, and what mocha runs."""
        asked = [name.partition(": ")[0] for name in self._options.tests]
        for name in asked or (QUICK if self._options.quick else (INTEGRATION, *MOCHA)):
            plain = sorted(str(file.relative_to(place)) for file in (place / name).rglob("*-tests.js"))
            yield from plain or [name]
