"""The tests of pgx, which are in its Go module. Those that want certificates, OAuth or pgbouncer leave themselves out
when nobody says where these are."""

import json
import shutil
from pathlib import Path

from rig.machine import clean_environment

from . import outcome, source
from .fetched_suite import FetchedSuite
from .process import run_limited

MODULE = "github.com/jackc/pgx/v5"
VERSION = "v5.9.2"
LIMIT = 30 * 60  # seconds
QUICK = ["./pgconn", "./pgxpool"]
WORDS = {"pass": outcome.PASSED, "fail": outcome.FAILED, "skip": outcome.SKIPPED}

# What its testsetup makes, of roles only those that are named in an aclitem.
FILL = ("CREATE ROLE postgres", "CREATE EXTENSION hstore", "CREATE EXTENSION ltree",
        "CREATE DOMAIN uint64 AS numeric(20,0)", """CREATE USER " tricky, ' } "" \\ test user " SUPERUSER""")


class Pgx(FetchedSuite):
    name = "pgx"
    version = VERSION

    def prepare(self, _):
        self._cache.mkdir(exist_ok=True)
        if not self._source.exists():
            found = source.run("go", "mod", "download", "-json", f"{MODULE}@{VERSION}", cwd=self._cache,
                               env=self._environment())
            shutil.copytree(json.loads(found)["Dir"], self._source)
        # Builds all of them.
        source.run("go", "test", "-run=^$", "./...", cwd=self._source, env=self._environment())

    @staticmethod
    def fill(database):
        database.psql(*FILL)

    def run(self, way, database, directory):
        host, port = way.where(self.sockets)
        address = (f"host={host} port={port} user={database.user} password={database.password} "
                   f"database={self.database}")
        # Also those that want TCP or a password by SCRAM to be sure of it.
        addresses = {f"PGX_TEST_{name}": address for name in (
            "DATABASE", "TCP_CONN_STRING", "SCRAM_PASSWORD_CONN_STRING")}
        events = run_limited(["go", "test", "-json", "-count=1", *self._selected()], directory / "events",
                             seconds=LIMIT, cwd=self._source, environment=self._environment(**addresses))
        return read_events(events.splitlines(), directory / "output")

    def _selected(self):
        tests = self._options.tests
        if tests and not tests[0].startswith(("-", ".")):
            names = {next((part for part in test.split("/") if part.startswith("Test")), test) for test in tests}
            return ["-run", f"^({'|'.join(sorted(names))})$", "./..."]
        return tests or (QUICK if self._options.quick else ["./..."])

    def _environment(self, **extra):
        """Go's, with caches of our own."""
        return clean_environment(GOMODCACHE=str(self._cache / "modules"), GOCACHE=str(self._cache / "build"),
                                 GOFLAGS="-modcacherw -buildvcs=false", **extra)


def read_events(lines, output):
    """Outcomes by package and name; what was printed goes to a file. A test that did not end, because its package
    did, has failed."""
    outcomes = {}
    with output.open("w") as printed:
        for line in lines:
            if not line.startswith("{"):  # of go itself
                printed.write(f"{line}\n")
                continue
            event = json.loads(line)
            printed.write(event.get("Output", ""))
            if "Test" in event:
                package = Path(event["Package"]).relative_to(MODULE)
                name = str(package / event["Test"])
                outcomes[name] = WORDS.get(event["Action"], outcomes.get(name, outcome.FAILED))
    return outcomes
