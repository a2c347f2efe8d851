#!/usr/bin/env python3
"""Runs other projects' test suites directly against a throw-away PostgreSQL and through pgweir in
transaction mode, while four other clients use the same pool. Whatever passes directly must pass through pgweir,
and the others must see no state that is not theirs."""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench"))

from kit import outcome, source  # noqa: E402
from kit.asyncpg import Asyncpg  # noqa: E402
from kit.database import Database  # noqa: E402
from kit.django import Django  # noqa: E402
from kit.neighbours import Neighbours  # noqa: E402
from kit.node_postgres import NodePostgres  # noqa: E402
from kit.pgjdbc import Pgjdbc  # noqa: E402
from kit.pgx import Pgx  # noqa: E402
from kit.psycopg import Psycopg  # noqa: E402
from kit.regress import Regress  # noqa: E402
from kit.way import Direct, Pooled  # noqa: E402
from rig.machine import BenchError  # noqa: E402

SUITES = {suite.name: suite for suite in (Regress, Psycopg, Django, Asyncpg, Pgx, NodePostgres, Pgjdbc)}
SHOWN_MAX = 10  # of the other clients' complaints, of a kind


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="tests/suites/run.sh", description=__doc__)
    parser.add_argument("suite", choices=SUITES)
    parser.add_argument("tests", nargs="*", help="only these, as the suite names them")
    parser.add_argument("--quick", action="store_true", help="the small selection that each suite has")
    parser.add_argument("--only", choices=("direct", "pooled"),
                        help="one of the two; compares with the last of the other")
    parser.add_argument("--alone", action="store_true", help="without the four other clients")
    parser.add_argument("--servers", type=int, metavar="N",
                        help="server connections of the pool (default: the suite's)")
    parser.add_argument("--pgweir", type=Path, default=ROOT / "build/release/pgweir", metavar="PATH",
                        help="default: build/release/pgweir")
    parser.add_argument("--source", type=Path, metavar="DIR", help="sources of the suite that are here already")
    parser.add_argument("--python", default=sys.executable, help="for suites in Python (default: this one)")
    parser.add_argument("--cache", type=Path, metavar="DIR",
                        help="default: build/suites, or pgweir-suites in XDG_CACHE_HOME")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="for output (default: results/SUITE in the cache)")
    options = parser.parse_intermixed_args(arguments)
    if options.only != "direct" and not options.pgweir.exists():
        parser.error(f"{options.pgweir} is not there: build it, or name another with --pgweir")
    return options


class Comparison:
    def __init__(self, options):
        self.options = options
        self.cache = source.cache(override=options.cache)
        self.suite = SUITES[options.suite](options, self.cache)
        self.kept = (options.keep or self.cache / "results" / options.suite).resolve()
        self.ways = [options.only] if options.only else ["direct", "pooled"]
        self.complaints = 0

    def run(self):
        """Whether pgweir came through."""
        for way in self.ways:
            self._run_way(way)
        return self._report() and not self.complaints

    def _run_way(self, name):
        with contextlib.ExitStack() as stack:
            workspace = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgweir-suites.")))
            workspace.chmod(0o755)
            (workspace / "postgres").mkdir()
            database = Database(workspace / "postgres", self.suite.prepare(workspace))
            stack.callback(database.stop)
            self.suite.fill(database)
            way = self._way(name, database, workspace)
            stack.callback(way.stop)
            neighbours = Neighbours(way, database, self.suite)
            stack.callback(neighbours.stop)
            if not self.options.alone:
                neighbours.start()
            say(f"{self.suite.name}, {name} ...")
            self._collect(way, database, neighbours, workspace)

    def _way(self, name, database, workspace):
        if name == "direct":
            return Direct(database)
        return Pooled(database, workspace / "pgweir", self.options.pgweir, sockets=self.suite.sockets,
                      servers=self.options.servers or self.suite.servers)

    def _collect(self, way, database, neighbours, workspace):
        directory = workspace / "suite"
        directory.mkdir(mode=0o755)
        started = time.monotonic()
        try:
            outcomes = self.suite.run(way, database, directory)
        finally:
            self._keep(way, database, directory)
        way.check_alive()
        neighbours.stop()
        if not outcome.count(outcomes, outcome.PASSED):
            raise BenchError(f"nothing passed: see {self.kept / way.name / 'output'}")
        outcome.save(outcomes, self.kept / f"{way.name}.json")
        passed, failed = outcome.count(outcomes, outcome.PASSED), outcome.count(outcomes, outcome.FAILED)
        say(f"  {passed} passed, {failed} failed, {outcome.count(outcomes, outcome.SKIPPED)} skipped, "
            f"{time.monotonic() - started:.0f} s; other clients: {neighbours.transactions} transactions")
        for sentence, times in neighbours.errors().most_common(SHOWN_MAX):
            say(f"  other clients got an error, {times} times: {sentence}")
        foreign = neighbours.foreign()
        for kind in sorted({kind for kind, _ in foreign}):
            names = [f"{name} ({times})" for (k, name), times in foreign.most_common() if k == kind]
            say(f"  other clients saw a {kind} that is not theirs: {', '.join(names[:SHOWN_MAX])}"
                + (f" and {len(names) - SHOWN_MAX} more" if len(names) > SHOWN_MAX else ""))
        self.complaints += len(foreign) + len(neighbours.errors())

    def _keep(self, way, database, directory):
        place = self.kept / way.name
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(parents=True)
        found = {"output": directory / "output", "postgres.log": database.directory / "log", "pgweir.log": way.log,
                 **self.suite.keepsakes(directory)}
        for name, path in found.items():
            if path and path.is_dir():
                shutil.copytree(path, place / name)
            elif path and path.exists():
                shutil.copy(path, place / name)

    def _report(self):
        if not all((self.kept / f"{way}.json").exists() for way in ("direct", "pooled")):
            return True
        direct, pooled = (outcome.load(self.kept / f"{way}.json") for way in ("direct", "pooled"))
        lost = outcome.lost(direct, pooled)
        passed = outcome.count(direct, outcome.PASSED)
        print(f"\n{self.suite.name}: {passed} passed directly, of these {passed - len(lost)} through pgweir")
        for name in lost:
            print(f"  {pooled.get(name, 'not run'):8} {name}")
        print(f"output: {self.kept}")
        return not lost


def say(sentence):
    print(sentence, file=sys.stderr, flush=True)


def stop(number, _):
    raise SystemExit(128 + number)


def main():
    options = parse_arguments(sys.argv[1:])
    signal.signal(signal.SIGTERM, stop)
    try:
        return 0 if Comparison(options).run() else 1
    except BenchError as problem:
        say(f"tests/suites: {problem}")
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
