#!/usr/bin/env python3
"""The parts of the bench that read and compute. Needs neither PostgreSQL nor a proxy."""

import os
import tempfile
import unittest
from pathlib import Path

from rig import calm, machine, pgbench, plot, report, tracing
from rig.machine import BenchError
from rig.workloads import Sample, Workload

REPORT = """\
number of transactions actually processed: 52341
number of failed transactions: {failed} (0.000%)
latency average = 0.955 ms
tps = 10468.012345 (without initial connection time)
"""

STRACE = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.030000          10      3000        12 recvfrom
 40.00    0.020000          10      2000           sendto
------ ----------- ----------- --------- --------- ----------------
100.00    0.050000          10      5000        12 total
"""


class PgbenchTest(unittest.TestCase):
    def test_count_and_rate_are_read(self):
        self.assertEqual(pgbench.read_report(REPORT.format(failed=0)), (52341, 10468.012345))

    def test_a_run_that_only_logged_in_counts_nothing(self):
        self.assertEqual(pgbench.read_report("number of transactions actually processed: 0\n"), (0, 0.0))

    def test_failed_transactions_are_no_result(self):
        with self.assertRaisesRegex(BenchError, "3 failed"):
            pgbench.read_report(REPORT.format(failed=3))

    def test_latencies_of_all_threads_are_read_and_failures_left_out(self):
        with tempfile.TemporaryDirectory() as directory:
            Path(directory, "log.1").write_text("0 1 900 0 1700000000 1\n0 2 failed 0 1700000000 2\n")
            Path(directory, "log.1.1").write_text("1 1 100 0 1700000000 3\n")
            self.assertEqual(sorted(pgbench.read_logs(Path(directory))), [0.1, 0.9])

    def test_percentiles(self):
        run = pgbench.PgbenchRun(100, 1, [float(i) for i in range(100)])
        self.assertEqual([run.percentile(p) for p in (50, 95, 99)], [50, 95, 99])
        self.assertIsNone(pgbench.PgbenchRun(0, 0, []).percentile(50))


class TracingTest(unittest.TestCase):
    def test_the_table_of_strace_is_read(self):
        self.assertEqual(tracing.read_strace(STRACE), {"recvfrom": (3000, 12), "sendto": (2000, 0)})


class MachineTest(unittest.TestCase):
    def test_cpu_and_memory_of_ourselves(self):
        before = machine.cpu_of(os.getpid())
        sum(range(3_000_000))
        spent = machine.cpu_of(os.getpid()) - before
        self.assertGreater(spent.user + spent.system, 0)
        self.assertGreater(machine.memory_of(os.getpid()), 1_000_000)


class ReportTest(unittest.TestCase):
    def render(self, unit, **by_target):
        workload = Workload("w", "the work", unit=unit)
        workload.in_session_mode = {"pgbouncer"}
        return report.render({workload: by_target}, list(by_target), heading="#", notes=[])

    def test_cost_is_cpu_for_a_unit_with_median_spread_and_ratio(self):
        ours = [Sample(1_000_000, 5, user=8, system=2), Sample(1_000_000, 5, user=9, system=3)]
        theirs = [Sample(1_000_000, 5, user=10, system=10), Sample(1_000_000, 5, user=10, system=10)]
        self.assertIn("| the work | CPU µs/txn | 11 ±9% | 20 ±0% (session) | 0.55 |",
                      self.render("txn", pgweir=ours, pgbouncer=theirs))

    def test_bytes_cost_seconds_and_idle_clients_memory(self):
        self.assertIn("| the work | CPU s/GB | 0.5 |", self.render("GB", pgweir=[Sample(2, 1, user=0.5, system=0.5)]))
        self.assertIn("| the work | KiB/client | 1.5 |", self.render("client", pgweir=[Sample(10, 1, memory=1536)]))

    def test_what_could_not_be_measured_says_why(self):
        text = self.render("txn", direct=[Sample(1, 1)], haproxy="no\n luck")
        self.assertIn("| the work | CPU µs/txn | – (n/a) |", text)
        self.assertIn("- n/a, w: haproxy: no luck.", text)


class CalmTest(unittest.TestCase):
    scenario = calm.Scenario("s", "40 <slow> ones", (calm.quick(6),), (2, 4), 6)

    @staticmethod
    def lines(latency_of):
        due = range(0, 6_000, 50)
        return "".join(f"quick\t{at}.5\t{latency_of(at)}\tok\n" for at in due)

    def test_all_in_time(self):
        outcome = calm.evaluate(self.scenario, self.lines(lambda at: 1.5) + "slow\t2000\t2000.1\tok\n")
        self.assertEqual((outcome.before, outcome.during, outcome.after, outcome.recovery), (100, 100, 100, 0))
        self.assertEqual(outcome.slow, {"slow: ok": 1})
        self.assertEqual(outcome.buckets, [100] * 60)

    def test_late_and_failed_are_not_in_time_and_recovery_is_counted_from_the_end(self):
        lines = self.lines(lambda at: 251 if 2_000 <= at < 4_300 else 250)
        outcome = calm.evaluate(self.scenario, lines.replace("quick\t5000.5\t250\tok", "quick\t5000.5\t250\t53300"))
        self.assertEqual((outcome.before, outcome.during), (100, 0))
        self.assertAlmostEqual(outcome.recovery, 1.1)  # one of two in that tenth of a second has failed
        self.assertEqual(outcome.quick, {"ok": 119, "53300": 1})

    def test_a_stream_is_one_line_of_words(self):
        self.assertEqual(calm.burst("BEGIN", "SELECT 1", at=4).line(), "slow\t4\t0\t0\t40\t0\tBEGIN\tSELECT 1")

    def test_the_picture_has_a_line_for_each_target(self):
        picture = plot.shares(self.scenario, {"pgweir": [100.0] * 60, "pgbouncer": [0.0] * 60})
        self.assertEqual(picture.count("<polyline"), 2)
        self.assertIn("40 &lt;slow&gt; ones", picture)


if __name__ == "__main__":
    unittest.main()
