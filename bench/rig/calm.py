"""Scenarios of a slow database, and what becomes of the quick queries beside it."""

import os
import signal
import subprocess
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

QUICK = "SELECT abalance FROM pgbench_accounts WHERE aid = %n"
IN_TIME = 250  # milliseconds
BUCKET = 100  # milliseconds
QUICK_RATE = 2_000


@dataclass(frozen=True)
class Stream:
    """As `bench_client load` reads it: seconds, requests a second, milliseconds. Its label is the name of its
    application."""

    label: str
    statements: tuple
    start: float = 0
    end: float = 0
    rate: float = 0
    connections: int = 40
    patience: int = 0

    def line(self):
        words = (self.label, self.start, self.end, self.rate, self.connections, self.patience)
        return "\t".join(map(str, words + self.statements))


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    streams: tuple
    trouble: tuple  # from and to, in seconds: what lies between is "during"
    seconds: float
    act: object = None  # (postgres, wait) -> None; wait(seconds since the start)


@dataclass
class Outcome:
    """What came of it: `buckets` are the shares of quick queries in time, for each tenth of a second."""

    buckets: list = field(default_factory=list)
    before: float = 0
    during: float = 0
    after: float = 0
    recovery: float = 0  # seconds behind the trouble until 95 % are in time again, and stay
    slow: Counter = field(default_factory=Counter)
    quick: Counter = field(default_factory=Counter)


def quick(seconds, **more):
    return Stream("quick", (QUICK,), end=seconds, rate=QUICK_RATE, connections=200, **more)


def burst(*statements, at=4, **more):
    return Stream("slow", statements, start=at, **more)


def known(seconds):
    """The slow statement now and then before, so that a pooler can have seen it."""
    return Stream("known", ("SELECT pg_sleep(2)",), end=seconds, rate=0.9, connections=4)


def stall(postgres, wait):
    """The whole database stands still for five seconds."""
    wait(4)
    processes = postgres.processes()
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    wait(9)
    for process in processes:
        os.kill(process, signal.SIGCONT)


def restart(postgres, wait):
    wait(4)
    postgres.restart()


SCENARIOS = {scenario.name: scenario for scenario in (
    Scenario("burst", "40 queries of 2 s, of a kind that was seen before",
             (quick(14), known(3), burst("SELECT pg_sleep(2)")), (4, 10.5), 14),
    Scenario("unseen", "40 queries of 2 s that nobody has seen before",
             (quick(14), burst("SELECT pg_sleep(2)")), (4, 10.5), 14),
    Scenario("different", "40 queries of 2 s, each of another kind",
             (quick(14), burst("SELECT pg_sleep(2) AS c%n")), (4, 10.5), 14),
    Scenario("transactions", "40 transactions: BEGIN, a quick query, one of 2 s, COMMIT",
             (quick(14), burst("BEGIN", QUICK, "SELECT pg_sleep(2)", "COMMIT")), (4, 10.5), 14),
    Scenario("locks", "40 updates of one row, which is locked for 4 s",
             (quick(14), Stream("holder", ("BEGIN", "UPDATE pgbench_branches SET bbalance = 1 WHERE bid = 1",
                                           "SELECT pg_sleep(4)", "COMMIT"), start=4, connections=1),
              burst("UPDATE pgbench_branches SET bbalance = bbalance + 1 WHERE bid = 1", at=4.2)), (4, 9), 14),
    Scenario("give-up", "500 clients of 40 ms queries that give up after 1 s, beside 40 queries of 2 s",
             (quick(14), burst("SELECT pg_sleep(2)"),
              Stream("hasty", ("SELECT pg_sleep(0.04)",), start=4, end=10, rate=500, connections=500,
                     patience=1_000)), (4, 10.5), 14),
    Scenario("flood", "one tenant asks for 60 ms, 300 times a second",
             (quick(14), Stream("tenant", ("SELECT pg_sleep(0.06)",), start=4, end=10, rate=300,
                                connections=100)), (4, 10.5), 14),
    Scenario("tenants", "one tenant asks for 8 ms with 700 clients, more than all servers can do",
             (quick(14), Stream("tenant", ("SELECT pg_sleep(0.008)",), start=4, end=10, rate=2_800,
                                connections=700)), (4, 10.5), 14),
    Scenario("stall", "the database stands still for 5 s", (quick(16),), (4, 9), 16, stall),
    Scenario("restart", "PostgreSQL is restarted", (quick(14),), (4, 6), 14, restart),
)}


def run(scenario, client, conninfo, postgres, environment):
    """The outcome of one scenario against one target."""
    lines = "\n".join(stream.line() for stream in scenario.streams) + "\n"
    process = subprocess.Popen([client, "load", conninfo], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True, env=environment)
    with ThreadPoolExecutor() as reader:
        output = reader.submit(process.communicate, lines)
        if scenario.act:  # in the first thread: what it starts ends with the thread that has started it
            started = time.monotonic() + 1  # clients connect first
            scenario.act(postgres, lambda seconds: time.sleep(max(0, started + seconds - time.monotonic())))
        return evaluate(scenario, output.result()[0])


def evaluate(scenario, output):
    count = int(scenario.seconds * 1000 / BUCKET)
    due, in_time = [0] * count, [0] * count
    outcome = Outcome()
    for line in output.splitlines():
        label, at, latency, ended = line.split("\t")
        if label != "quick":
            outcome.slow[f"{label}: {ended}"] += 1
            continue
        outcome.quick[ended] += 1
        bucket = int(float(at) / BUCKET)
        if 0 <= bucket < count:
            due[bucket] += 1
            in_time[bucket] += ended == "ok" and float(latency) <= IN_TIME
    outcome.buckets = [100 * good / all_ if all_ else 0.0 for good, all_ in zip(in_time, due)]

    def share(start, end):
        part = slice(int(start * 1000 / BUCKET), int(end * 1000 / BUCKET))
        return 100 * sum(in_time[part]) / max(1, sum(due[part]))

    first, last = scenario.trouble
    outcome.before, outcome.during, outcome.after = share(1, first), share(first, last), share(last, scenario.seconds)
    bad = [i for i, value in enumerate(outcome.buckets) if value < 95 and i * BUCKET >= first * 1000]
    outcome.recovery = max(0.0, (bad[-1] + 1) * BUCKET / 1000 - last) if bad else 0.0
    return outcome
