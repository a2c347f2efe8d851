#!/usr/bin/env python3
"""Counts for each transaction of pgbench -S: system calls (syscalls) or user instructions (instructions)."""

import argparse
import contextlib
import signal
import sys
import tempfile
from pathlib import Path

from rig import build, machine, report
from rig.machine import BenchError
from rig.postgres import Postgres
from rig.targets import TARGETS
from rig.tracing import instructions_per_transaction, syscalls_per_transaction


def parse_arguments(arguments):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["syscalls", "instructions"])
    parser.add_argument("--target", choices=[name for name in TARGETS if name != "direct"], default="pgweir")
    parser.add_argument("--clients", default="16,64", help="default %(default)s")
    parser.add_argument("--mode", choices=["simple", "extended", "prepared"], default="simple")
    parser.add_argument("--sockets", choices=["tcp", "unix"], default="tcp")
    parser.add_argument("--seconds", type=int, default=5, help="of tracing system calls (default 5)")
    parser.add_argument("--transactions", type=int, default=200, help="of each client under callgrind (default 200)")
    parser.add_argument("--pool-size", type=int, default=20)
    parser.add_argument("--workers", type=int, help="worker threads of pgweir")
    parser.add_argument("--pgweir", type=Path, metavar="PATH", help="this program instead of a release build")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the last callgrind profile")
    options = parser.parse_args(arguments)
    options.clients = [int(count) for count in options.clients.split(",")]
    options.under = []
    return options


def print_syscalls(target, clients, options):
    rows, transactions = syscalls_per_transaction(target, clients, options.mode, options.seconds)
    print(f"\n{target.name}, {options.mode}, {clients} clients, {transactions:,} transactions\n")
    total = [("**all**", sum(row[1] for row in rows), sum(row[2] for row in rows))]
    print(report.table(["system call", "calls/txn", "failed/txn"], [
        [name, f"{calls:.3f}", f"{failed:.3f}"] for name, calls, failed in total + rows if calls >= 0.0005]))


def print_instructions(target, clients, options):
    count, profile = instructions_per_transaction(target, clients, options.mode, options.transactions)
    print(f"{target.name}, {options.mode}, {clients} clients: {count:,.0f} user instructions/txn")
    if options.save:
        options.save.write_text(profile)


def run(options):
    machine.allow_descriptors(machine.DESCRIPTORS_USUAL)
    if options.target == "pgweir":
        options.pgweir = build.pgweir(options.pgweir)
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pgweir-bench.")))
        directory.chmod(0o755)
        (directory / "postgres").mkdir()
        postgres = Postgres(directory / "postgres")
        stack.callback(postgres.stop)
        postgres.fill(1)
        target = TARGETS[options.target](postgres, directory, options)
        for clients in options.clients:
            {"syscalls": print_syscalls, "instructions": print_instructions}[options.what](target, clients, options)


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
