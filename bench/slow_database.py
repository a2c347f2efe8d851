#!/usr/bin/env python3
"""Runs quick queries, 2,000 a second, beside a slow part of the database: through pgweir, and through PgBouncer
with its defaults, both with 20 servers. Tells which share was answered within 250 ms."""

import argparse
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from rig import build, calm, machine, plot
from rig.machine import BenchError
from rig.postgres import Postgres
from rig.targets import TARGETS


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(prog="bench/slow_database.sh", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=f"of {', '.join(calm.SCENARIOS)} (default: all)")
    parser.add_argument("--targets", default="pgweir,pgbouncer", help="default: %(default)s")
    parser.add_argument("--pgweir", type=Path, metavar="PATH", help="this program instead of a release build")
    parser.add_argument("--workers", type=int, help="worker threads of pgweir (default: its own)")
    parser.add_argument("--pool-size", type=int, default=20, help="default 20")
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the first scenario (SVG)")
    options = parser.parse_args(arguments)
    options.targets = options.targets.split(",")
    options.scenarios = options.scenarios or list(calm.SCENARIOS)
    options.under = []
    unknown = set(options.targets) - set(TARGETS) or set(options.scenarios) - set(calm.SCENARIOS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    return options


def run(options, client, postgres, directory):
    drawn = {}
    print("| scenario | target | before | during | after | recovery | quick | the others |")
    print("|---|---|---:|---:|---:|---:|---|---|", flush=True)
    for name in options.scenarios:
        scenario = calm.SCENARIOS[name]
        for target_name in options.targets:
            target = TARGETS[target_name](postgres, directory, options)
            target.start(sockets="tcp", auth="trust")
            with contextlib.ExitStack() as stack:
                stack.callback(target.stop)
                outcome = calm.run(scenario, client, target.conninfo(), postgres, postgres.client_environment())
            if name == options.scenarios[0]:
                drawn[target_name] = outcome.buckets
            print(f"| {name} | {target_name} | {outcome.before:.1f} % | {outcome.during:.1f} % | {outcome.after:.1f} % "
                  f"| {outcome.recovery:.1f} s | {told(outcome.quick)} | {told(outcome.slow)} |", flush=True)
    if options.plot:
        scenario = calm.SCENARIOS[options.scenarios[0]]
        options.plot.write_text(plot.shares(scenario, drawn))


def told(counts):
    return ", ".join(f"{count:,} {what}" for what, count in counts.most_common())


def main():
    options = parse_arguments(sys.argv[1:])
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        client = build.client()
        options.pgweir = build.pgweir(options.pgweir)
        machine.allow_descriptors(machine.DESCRIPTORS_USUAL)
        with tempfile.TemporaryDirectory(prefix="pgweir-bench.") as directory:
            Path(directory).chmod(0o755)
            (Path(directory) / "postgres").mkdir()
            postgres = Postgres(Path(directory) / "postgres")
            try:
                postgres.fill(10)
                print(f"{machine.describe()}; PostgreSQL {postgres.version()}; pool of {options.pool_size} servers\n")
                run(options, client, postgres, directory)
            finally:
                postgres.stop()
    except BenchError as problem:
        sys.exit(f"bench: {problem}")


if __name__ == "__main__":
    main()
