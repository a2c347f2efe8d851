"""PostgreSQL's own regression suite, run by Debian's packages of exactly its version: a minor release may
change what psql prints."""

import re
import shutil
import subprocess

from rig.machine import clean_environment

from . import outcome, source
from .lockwatch import LockWatch
from .process import run_limited

SOURCE = "postgresql-15"
PACKAGES = ("postgresql-15", "postgresql-client-15", "postgresql-server-dev-15")
PREFIX = "usr/lib/postgresql/15"
DATABASE = "regression"
LIBRARIES = ("autoinc", "refint", "regress")  # the server package has two of these
PARALLEL_MAX = 20
LIMIT = 30 * 60  # seconds

# What pg_regress does to a database that it makes itself.
PREPARE = [f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C'"] + [
    f"ALTER DATABASE {DATABASE} SET {name} TO '{value}'" for name, value in (
        ("lc_messages", "C"), ("lc_monetary", "C"), ("lc_numeric", "C"), ("lc_time", "C"),
        ("bytea_output", "hex"), ("timezone_abbreviations", "Default"))]

RESULT = re.compile(r"^(?:test| ) +(\S+) +\.\.\. (ok|FAILED|failed)")
QUICK = ["test_setup", "boolean", "char", "int4", "text", "point", "transactions", "prepare", "guc",
         "temp", "privileges", "plpgsql"]


class Regress:
    name = "regress"
    sockets = "unix"
    snapshots = False  # one held by another client would change plans, and what VACUUM finds
    database = DATABASE
    servers = 60

    def __init__(self, options, cache):
        self._options = options
        self._cache = cache / "regress"
        self._source = self._cache / "source"

    def prepare(self, workspace):
        """Where the programs of the server are that the suite wants."""
        self._cache.mkdir(exist_ok=True)
        version = self._cache / "version"
        if not version.exists():
            shutil.rmtree(self._source, ignore_errors=True)
            found = source.Debian(self._cache / "apt").source(SOURCE, self._source)
            source.Debian.download(PACKAGES, found, self._cache / f"packages_{found}")
            version.write_text(found)
        # Unpacked anew, where the server's user can read them.
        place = workspace / "packages"
        for package in (self._cache / f"packages_{version.read_text()}").glob("*.deb"):
            source.run("dpkg-deb", "-x", package, place)
        self._tests = self._source / "src" / "test" / "regress"
        self._libraries = place / PREFIX / "lib"
        source.run("cc", "-O1", "-fPIC", "-shared", f"-I{place}/usr/include/postgresql/15/server",
                   self._tests / "regress.c", "-o", self._libraries / "regress.so")
        return place / PREFIX / "bin"

    def fill(self, database):
        for statement in PREPARE:
            database.psql(statement)

    def run(self, way, database, directory):
        """Test names to outcomes. `directory` gets the output and regression.diffs."""
        place = self._lay_out(directory)
        host, port = way.where(self.sockets)
        command = [self._libraries / "pgxs/src/test/regress/pg_regress",
                   f"--inputdir={place}", f"--outputdir={place}", f"--dlpath={place}", f"--bindir={database.programs}",
                   f"--host={host}", f"--port={port}", f"--user={database.user}",
                   "--use-existing", f"--dbname={DATABASE}", f"--max-concurrent-tests={PARALLEL_MAX}"]
        names = self._options.tests or (QUICK if self._options.quick else [])
        command += names or [f"--schedule={place}/parallel_schedule"]
        with LockWatch(database):
            output = run_limited(command, directory / "output", seconds=LIMIT, cwd=place,
                                 environment=clean_environment())
        found = (RESULT.match(line) for line in output.splitlines())
        return {m[1]: outcome.PASSED if m[2] == "ok" else outcome.FAILED for m in found if m}

    def _lay_out(self, directory):
        """Where the server's user can read data and write results, whoever that is."""
        place = directory / "work"
        place.mkdir()
        for name in ("sql", "expected", "data"):
            shutil.copytree(self._tests / name, place / name)
        for name in ("parallel_schedule", "resultmap"):
            shutil.copy(self._tests / name, place)
        for name in LIBRARIES:
            shutil.copy(self._libraries / f"{name}.so", place)
        (place / "results").mkdir()
        (place / "results").chmod(0o777)
        subprocess.run(["chmod", "-R", "a+rX", place], check=True)
        return place

    @staticmethod
    def keepsakes(directory):
        """Names and places of what is worth keeping besides the output."""
        return {name: directory / "work" / name for name in ("regression.diffs", "results")}
