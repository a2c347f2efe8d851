"""What is measured: each workload runs once through one target and returns a Sample."""

import json
import subprocess
import time
from dataclasses import dataclass, field

from .machine import BenchError, cpu_of, memory_of
from .pgbench import pgbench
from .targets import UNPOOLED_CLIENTS_MAX

GB = 1e9


@dataclass
class Sample:
    """`user` and `system` are seconds of the proxy's CPU in all; None where there is no proxy."""

    count: float  # of units
    rate: float | None = None  # units a second
    user: float | None = None
    system: float | None = None
    latencies: tuple = (None, None, None)  # p50, p95, p99 in ms
    memory: float | None = None  # bytes for each client


@dataclass(eq=False)
class Workload:
    name: str
    title: str
    unit: str = "txn"
    sockets: str = "tcp"
    auth: str = "trust"
    clients: int = 1
    keeps_statements: bool = False  # needs named prepared statements to survive between transactions
    fresh: bool = False  # a new process for each round
    options: object = field(default=None, repr=False)

    def refusal(self, target):
        """Why this cannot be measured through the target, or nothing."""
        if self.needs_session(target) and self.clients > self.options.pool_size:
            return "no prepared statements in transaction mode, and more clients than session servers"
        return ""

    def needs_session(self, target):
        return self.keeps_statements and target.name == "pgbouncer" and not target.keeps_statements()

    def warm_up(self, target):
        """Fills pools and caches."""

    def measure(self, target):
        raise NotImplementedError

    def with_cpu(self, target, sample, before):
        if before:
            spent = cpu_of(target.daemon.pid) - before
            sample.user, sample.system = spent.user, spent.system
        return sample


def cpu_now(target):
    return cpu_of(target.daemon.pid) if target.daemon else None


@dataclass(eq=False)
class PgbenchWorkload(Workload):
    arguments: tuple = ()
    units: int = 1  # in a transaction
    script: str = ""
    expected: dict = field(default_factory=dict, repr=False)

    def words(self, target):
        if not self.script:
            return [*self.arguments, "-S"]
        return [*self.arguments, "-f", target.write("script.sql", self.script)]

    def warm_up(self, target):
        run = pgbench(target, *self.words(target), clients=self.clients, seconds=1)
        self.expected[target.name] = run.rate * 1.2

    def measure(self, target):
        before = cpu_now(target)
        run = pgbench(target, *self.words(target), clients=self.clients, seconds=self.options.seconds,
                      rate_expected=self.expected.get(target.name, 0))
        if run.transactions == 0:
            raise BenchError("no transaction was finished: use more seconds")
        sample = Sample(run.transactions * self.units, run.rate * self.units)
        if "-C" not in self.arguments:  # pgbench's latencies begin after connecting
            sample.latencies = tuple(run.percentile(p) for p in (50, 95, 99))
        return self.with_cpu(target, sample, before)


def client(target, *arguments, **options):
    """Starts bench_client, built from bench/client."""
    return subprocess.Popen([str(word) for word in (target.options.client, *arguments)], text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=target.postgres.client_environment(), **options)


def client_result(target, *arguments):
    process = client(target, *arguments)
    output, errors = process.communicate()
    if process.returncode:
        raise BenchError(f"through {target.name}: {errors.strip()}")
    return json.loads(output)


@dataclass(eq=False)
class BulkWorkload(Workload):
    """One connection, many bytes."""

    action: str = "rows"
    words: tuple = ()

    def measure(self, target):
        before = cpu_now(target)
        done = client_result(target, self.action, target.conninfo(), *self.words)
        gigabytes = done["bytes"] / GB
        return self.with_cpu(target, Sample(gigabytes, gigabytes / done["seconds"]), before)


@dataclass(eq=False)
class IdleWorkload(Workload):
    """Memory of clients that have worked once and now only stay."""

    def refusal(self, target):
        return "" if target.daemon else "no proxy"

    def count(self, target):
        return self.clients if target.pools else min(self.clients, UNPOOLED_CLIENTS_MAX)

    def measure(self, target):
        # Servers are in the pool and lazily bound symbols are resolved before we look first.
        client_result(target, "rows", target.conninfo(), "SELECT 1")
        time.sleep(1)
        before, count = memory_of(target.daemon.pid), self.count(target)
        process = client(target, "idle", target.conninfo(), count, stdin=subprocess.PIPE)
        try:
            line = process.stdout.readline()
            if not line:
                raise BenchError(f"through {target.name}: {process.stderr.read().strip()}")
            time.sleep(2)
            return Sample(count, count / json.loads(line)["seconds"],
                          memory=(memory_of(target.daemon.pid) - before) / count)
        finally:
            process.communicate()


PIPELINE = "\\set aid random(1, 100000 * :scale)\n\\startpipeline\n" + (
    "SELECT abalance FROM pgbench_accounts WHERE aid = :aid;\n" * 50) + "\\endpipeline\n"
# The fields are 1,000 bytes; a message adds 11.
RESULT = "SELECT repeat('x', 1000) FROM pgbench_accounts LIMIT {rows}"
TINY_ROWS = "SELECT a.aid FROM pgbench_accounts a, generate_series(1, 10) LIMIT {rows}"


def all_workloads(options):
    """In the order of the report."""
    size = "100 MB" if options.quick else "1 GB"
    rows, tiny_rows, copied = (part // 10 if options.quick else part for part in (10**6, 10**7, 10**9))
    listed = []
    for mode in ("simple", "extended", "prepared"):
        for clients in (1, 16, 64):
            for sockets in ("tcp", "unix"):
                if sockets in options.sockets or (mode, clients) == ("simple", 16):
                    listed.append(steady(mode, clients, sockets))
    listed += [
        PgbenchWorkload("reconnect-16", "a new connection for each transaction, SCRAM, 16 clients",
                        auth="scram-sha-256", clients=16, arguments=("-C",)),
        PgbenchWorkload("pipeline-16", "pipelines of 50 prepared SELECTs, 16 clients", unit="query", clients=16,
                        arguments=("-M", "prepared", "-D", f"scale={options.scale}"), units=50,
                        script=PIPELINE, keeps_statements=True),
        BulkWorkload("result", f"{size} result, rows of 1,000 bytes", unit="GB",
                     words=(RESULT.format(rows=rows),)),
        BulkWorkload("tiny-rows", f"{tiny_rows:,} rows of one integer", unit="GB",
                     words=(TINY_ROWS.format(rows=tiny_rows),)),
        BulkWorkload("copy-in", f"COPY in, {size}, rows of 1 KiB", unit="GB", action="copy-in",
                     words=("sink", copied)),
        IdleWorkload("idle", f"{options.idle_clients:,} idle clients", unit="client", fresh=True,
                     clients=options.idle_clients),
    ]
    for workload in listed:
        workload.options = options
    return listed


def steady(mode, clients, sockets):
    suffix = "" if sockets == "tcp" else "-unix"
    return PgbenchWorkload(
        f"{mode}-{clients}{suffix}",
        f"pgbench -S, {mode}, {clients} client{'s' * (clients > 1)}{', unix sockets' * (sockets == 'unix')}",
        sockets=sockets, clients=clients, arguments=("-M", mode), keeps_statements=mode == "prepared")
