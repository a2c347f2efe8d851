"""Runs pgbench and reads what it says."""

import re
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from .machine import BenchError

SAMPLES_A_SECOND = 20_000  # of latencies; more would make the log part of the measurement


@dataclass
class PgbenchRun:
    transactions: int
    rate: float  # a second
    latencies: list  # sorted, in ms

    def percentile(self, percent):
        if not self.latencies:
            return None
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * percent / 100))]


def pgbench(target, *arguments, clients, seconds=None, transactions=None, rate_expected=0):
    """One run through a target. `transactions` are for each client; else it runs for `seconds`."""
    with tempfile.TemporaryDirectory() as logs:
        sampling = min(1.0, SAMPLES_A_SECOND / rate_expected) if rate_expected else 1.0
        length = ["-T", seconds] if transactions is None else ["-t", transactions]
        words = [target.postgres.programs / "pgbench", "-n", "-c", clients, "-j", min(clients, 2), *length,
                 "--log", f"--log-prefix={logs}/log", *arguments]
        if sampling < 1:
            words.append(f"--sampling-rate={sampling:.4f}")
        done = subprocess.run([*map(str, words), target.conninfo()], capture_output=True, text=True,
                              env=target.postgres.client_environment(), cwd=logs)
        if done.returncode:
            raise BenchError(f"pgbench through {target.name}: {last_complaint(done.stderr)}")
        return PgbenchRun(*read_report(done.stdout), sorted(read_logs(Path(logs))))


def last_complaint(text):
    errors = [line for line in text.splitlines() if "error" in line or "fatal" in line] or text.splitlines()
    return errors[0] if errors else "failed"


def read_report(text):
    """Number of transactions, and how many a second. Both 0 if logins took all the time."""
    processed = re.search(r"number of transactions actually processed: (\d+)", text)
    failed = re.search(r"number of failed transactions: (\d+)", text)
    rate = re.search(r"tps = ([\d.]+)", text)
    if processed and int(processed[1]) == 0:
        return 0, 0.0
    if not processed or not rate:
        raise BenchError("pgbench printed no result")
    if failed and int(failed[1]):
        raise BenchError(f"pgbench counted {failed[1]} failed transactions")
    return int(processed[1]), float(rate[1])


def read_logs(directory):
    for path in directory.glob("log.*"):
        for line in path.read_text().splitlines():
            time = line.split()[2]
            if time.isdigit():
                yield int(time) / 1000
