#!/usr/bin/env python3
"""Compares pgweir with a direct connection, PgBouncer and HAProxy, interleaved, on a throw-away PostgreSQL."""

import argparse
import contextlib
import datetime
import fnmatch
import signal
import sys
import tempfile
from pathlib import Path

from rig import build, machine, report
from rig.machine import BenchError
from rig.postgres import Postgres
from rig.targets import TARGETS
from rig.workloads import all_workloads


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="bench/run.sh", description=__doc__)
    parser.add_argument("--rounds", type=int, help="of each measurement (default 3)")
    parser.add_argument("--seconds", type=int, help="length of a pgbench run (default 5)")
    parser.add_argument("--only", action="append", metavar="NAME", help="these workloads, as in 'simple-*'; repeatable")
    parser.add_argument("--list", action="store_true", help="print the workloads and stop")
    parser.add_argument("--quick", action="store_true", help="one round of 1 s, a tenth of the bytes and idle clients")
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the report there too")
    parser.add_argument("--targets", default=",".join(TARGETS), help="default: %(default)s")
    parser.add_argument("--sockets", default="tcp", help="tcp, unix or tcp,unix for pgbench -S (default tcp; simple-16 always on both)")
    parser.add_argument("--pgweir", type=Path, metavar="PATH", help="this program instead of a release build")
    parser.add_argument("--workers", type=int, help="worker threads of pgweir (default: its own)")
    parser.add_argument("--pool-size", type=int, default=20, help="default 20")
    parser.add_argument("--scale", type=int, default=10, help="of pgbench's tables (default 10)")
    parser.add_argument("--idle-clients", type=int, default=10_000, help="default 10000")
    options = parser.parse_args(arguments)
    options.targets = options.targets.split(",")
    options.sockets = options.sockets.split(",")
    options.under = []
    options.rounds = options.rounds or (1 if options.quick else 3)
    options.seconds = options.seconds or (1 if options.quick else 5)
    if options.quick:
        options.idle_clients = min(options.idle_clients, 1000)
    unknown = set(options.targets) - set(TARGETS) or set(options.sockets) - {"tcp", "unix"}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


class Bench:
    def __init__(self, options, postgres, directory):
        self.options = options
        self.targets = [TARGETS[name](postgres, directory, options) for name in options.targets]

    def run(self, workload):
        """Target name to samples, or to the reason why there are none."""
        results, ready = {}, []
        workload.in_session_mode = set()
        with contextlib.ExitStack() as stack:
            for target in self.targets:
                stack.callback(target.stop)
                try:
                    self.start(target, workload)
                    refusal = workload.refusal(target)
                    if not refusal:
                        workload.warm_up(target)
                except (BenchError, OSError) as problem:
                    refusal = str(problem)
                results[target.name] = refusal or []
                if not refusal:
                    ready.append(target)
            for number in range(self.options.rounds):
                self.run_round(workload, ready, results, number)
        return results

    def start(self, target, workload):
        session = workload.needs_session(target)
        if session:
            workload.in_session_mode.add(target.name)
        target.start(sockets=workload.sockets, auth=workload.auth, session=session)

    def run_round(self, workload, ready, results, number):
        """Every target once; who begins changes, so that nobody has the warm machine for himself."""
        first = number % len(ready) if ready else 0
        for target in ready[first:] + ready[:first]:
            if not isinstance(results[target.name], list):
                continue
            try:
                if workload.fresh and number > 0:
                    target.stop()
                    self.start(target, workload)
                sample = workload.measure(target)
            except (BenchError, OSError) as problem:
                results[target.name] = str(problem)
                print(f"  round {number + 1} {target.name:10} {problem}", file=sys.stderr)
                continue
            results[target.name].append(sample)
            print(f"  round {number + 1} {target.name:10} {report.number(sample.rate):>8} {workload.unit}/s  "
                  f"{report.number(report.cost(sample, workload.unit)):>7} {report.cost_name(workload)}",
                  file=sys.stderr)


def heading(options, postgres):
    versions = [TARGETS[name].version(options) for name in options.targets]
    return "\n".join([
        f"# pgweir measured, {datetime.date.today()}", "",
        f"{machine.describe()}; PostgreSQL {postgres.version()}; {'; '.join(v for v in versions if v)}. "
        f"{options.rounds} × {options.seconds} s, pool of {options.pool_size} servers, "
        f"pgbench scale {options.scale}."])


def notes(options):
    found = [f"{name}: {TARGETS[name].note}." for name in options.targets if TARGETS[name].note]
    if "pgbouncer" in options.targets and not TARGETS["pgbouncer"].keeps_statements():
        found.append("(session): this PgBouncer knows no prepared statements in transaction mode, so these rows "
                     "show it in session mode, where it has less to do.")
    return found


def run(options):
    workloads = [w for w in all_workloads(options)
                 if not options.only or any(fnmatch.fnmatchcase(w.name, only) for only in options.only)]
    if options.list:
        print("\n".join(f"{w.name:18} {w.title}" for w in workloads))
        return
    if not workloads:
        raise BenchError("no workload has such a name; --list shows them")
    machine.allow_descriptors(options.idle_clients + 2000)
    options.client = build.client()
    if "pgweir" in options.targets:
        options.pgweir = build.pgweir(options.pgweir)
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgweir-bench.")))
        directory.chmod(0o755)
        place = directory / "postgres"
        place.mkdir()
        print("starting PostgreSQL", file=sys.stderr)
        postgres = Postgres(place)
        stack.callback(postgres.stop)
        postgres.fill(options.scale)
        bench, results = Bench(options, postgres, directory), {}
        for position, workload in enumerate(workloads, 1):
            print(f"[{position}/{len(workloads)}] {workload.title}", file=sys.stderr)
            results[workload] = bench.run(workload)
        text = report.render(results, options.targets, heading=heading(options, postgres), notes=notes(options))
    print(text)
    if options.save:
        options.save.write_text(text)


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what we started is removed
    try:
        run(parse_arguments(sys.argv[1:]))
    except BenchError as problem:
        sys.exit(f"bench: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
