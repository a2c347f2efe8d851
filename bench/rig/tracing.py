"""Counts of one process that no clock can blur: system calls (strace), user instructions (callgrind).

Both look at two runs of pgbench, a short and a long one, and divide the difference by the difference
in transactions: start, logins and the end of the process are in both and cancel out.
"""

import re
import signal
import subprocess
from pathlib import Path

from .machine import BenchError, wait_until
from .pgbench import pgbench


def read_strace(text):
    """The table of `strace -c`: name to (calls, errors)."""
    counts = {}
    for line in text.splitlines():
        words = line.split()
        if len(words) not in (5, 6) or not re.fullmatch(r"[\d.]+", words[0]) or words[-1] == "total":
            continue
        counts[words[-1]] = (int(words[3]), int(words[4]) if len(words) == 6 else 0)
    return counts


def strace(pid, file, work):
    """System calls of all threads of a process while `work` runs, and what that returned."""
    tracer = subprocess.Popen(["strace", "-c", "-f", "-qq", "-o", str(file), "-p", str(pid)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)

    def all_threads_traced():
        if tracer.poll() is not None:
            raise BenchError(f"strace: {tracer.stderr.read().strip()}")
        statuses = [(task / "status").read_text() for task in Path(f"/proc/{pid}/task").iterdir()]
        return all(f"TracerPid:\t{tracer.pid}\n" in status for status in statuses)

    try:
        wait_until(all_threads_traced, "strace attaches")
        result = work()
    finally:
        if tracer.poll() is None:
            tracer.send_signal(signal.SIGINT)
        tracer.wait()
    return read_strace(file.read_text()), result


def syscalls_per_transaction(target, clients, mode, seconds):
    """Rows (name, calls, failed calls), each for a transaction, the most frequent first."""
    target.start(sockets=target.options.sockets, auth="trust")
    try:
        def one(length):
            return strace(target.daemon.pid, target.place / "strace", lambda: pgbench(
                target, "-S", "-M", mode, clients=clients, seconds=length, rate_expected=50_000))
        pgbench(target, "-S", "-M", mode, clients=clients, seconds=1)
        short, short_run = one(1)
        long, long_run = one(1 + seconds)
    finally:
        target.stop()
    more = long_run.transactions - short_run.transactions
    if more <= 0:
        raise BenchError("too few transactions: use more seconds")
    rows = [(name, *((long[name][i] - short.get(name, (0, 0))[i]) / more for i in range(2))) for name in long]
    return sorted(rows, key=lambda row: -row[1]), more


def instructions_of_run(target, clients, mode, transactions):
    """User instructions of a process from start to end around one pgbench."""
    target.options.under = ["valgrind", "--tool=callgrind", "--callgrind-out-file=callgrind.out"]
    target.start(sockets=target.options.sockets, auth="trust")
    try:
        pgbench(target, "-S", "-M", mode, clients=clients, transactions=transactions)
        target.daemon.stop()
        profile = (target.place / "callgrind.out").read_text()
    finally:
        target.stop()
    found = re.search(r"^(?:summary|totals): (\d+)", profile, re.M)
    if not found:
        raise BenchError(f"{target.name} wrote no profile when it ended")
    return int(found[1]), profile


def instructions_per_transaction(target, clients, mode, transactions):
    """Also returns the longer profile, for callgrind_annotate."""
    short, _ = instructions_of_run(target, clients, mode, transactions)
    long, profile = instructions_of_run(target, clients, mode, 2 * transactions)
    return (long - short) / (transactions * clients), profile
