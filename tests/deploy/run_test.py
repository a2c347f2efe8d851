#!/usr/bin/env python3
"""deploy/run.sh from outside: what it prints, what it leaves behind, and how it ends.

A small program stands in for pgweir: it listens, says "ready" and records its signals. Needs a
PostgreSQL server's programs; starts no build and installs nothing.
"""

import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
from pathlib import Path

RUN = Path(__file__).resolve().parents[2] / "deploy" / "run.sh"

STAND_IN = """\
    #!{python}
    import os, signal, socket, sys
    ended = []
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda got, frame: ended.append(got))
    words = " ".join(sys.argv).replace("--listen=", "--listen ").split()
    host, port = words[len(words) - words[::-1].index("--listen")].rsplit(":", 1)
    listener = socket.create_server((host, int(port)))
    print(f"level=info event=listening address={{host}}:{{listener.getsockname()[1]}}", file=sys.stderr)
    print("level=info event=ready", file=sys.stderr, flush=True)
    open("{record}", "w").write(os.environ["DATABASE_URL"])
    while not ended:
        signal.pause()
    print("signals", len(ended), file=sys.stderr, flush=True)
    if "--fail" in sys.argv:
        sys.exit(7)
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def processes_naming(text):
    """Processes with this text in their command line."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in line and int(entry.parent.name) != os.getpid():
            found.append(line)
    return found


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


class Run:
    """One deploy/run.sh in a process group and a temporary directory of its own."""

    def __init__(self, place, *arguments, url=None, as_user=None):
        self.place, self.port = Path(place), free_port()
        self.record = self.place / "record"
        self.output = self.place / "output"
        binary = self.place / "pgweir"
        python = next(p for p in ("/usr/bin/python3", sys.executable) if os.access(p, os.X_OK))
        binary.write_text(textwrap.dedent(STAND_IN).format(python=python, record=self.record))
        binary.chmod(0o755)
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "DATABASE_"))}
        environment |= {"BINARY": str(binary), "TMPDIR": str(self.place)}
        if url:
            environment["DATABASE_URL"] = url
        self.arguments = ["--listen", f"127.0.0.1:{self.port}", "--http", f"127.0.0.1:{free_port()}", *arguments]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [RUN, *self.arguments], env=environment, stdin=subprocess.DEVNULL, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True, user=as_user)

    def text(self):
        return self.output.read_text()

    def wait_for_greeting(self):
        wait_until(lambda: "Ctrl-C" in self.text() or self.process.poll() is not None, "greeting")
        if self.process.poll() is not None:
            raise AssertionError(self.text())

    def finish(self):
        try:
            return self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise

    def leftovers(self):
        known = {"record", "output", "pgweir"}
        return [p.name for p in self.place.iterdir() if p.name not in known] + processes_naming(str(self.place))


class RunTest(unittest.TestCase):
    def setUp(self):
        self.directory = tempfile.TemporaryDirectory()
        self.addCleanup(self.directory.cleanup)
        os.chmod(self.directory.name, 0o777)

    def run_script(self, *arguments, **options):
        run = Run(self.directory.name, *arguments, **options)
        self.addCleanup(lambda: run.process.poll() is None and run.process.kill())
        return run

    def test_ctrl_c_reaches_the_daemon_once_and_nothing_is_left(self):
        run = self.run_script()
        run.wait_for_greeting()
        os.killpg(run.process.pid, signal.SIGINT)
        self.assertEqual(run.finish(), 0, run.text())
        self.assertIn("signals 1", run.text())
        self.assertEqual(run.leftovers(), [])

    def test_a_signal_to_the_script_alone_ends_everything(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.subTest(number):
                run = self.run_script()
                run.wait_for_greeting()
                run.process.send_signal(number)
                self.assertEqual(run.finish(), 0, run.text())
                self.assertEqual(run.leftovers(), [])

    def test_a_killed_script_leaves_no_process(self):
        run = self.run_script()
        run.wait_for_greeting()
        run.process.kill()
        run.finish()
        wait_until(lambda: not processes_naming(str(run.place)), "all processes end")

    def test_a_signal_while_postgresql_starts_ends_everything(self):
        run = self.run_script()
        wait_until(lambda: any(p.name.startswith("pgweir.") for p in run.place.iterdir()), "the start")
        os.killpg(run.process.pid, signal.SIGINT)
        self.assertEqual(run.finish(), 130, run.text())
        self.assertEqual(run.leftovers(), [])

    def test_the_exit_code_is_the_daemons(self):
        run = self.run_script("--fail")
        run.wait_for_greeting()
        run.process.send_signal(signal.SIGTERM)
        self.assertEqual(run.finish(), 7, run.text())

    def test_the_greeting_has_a_connection_string_and_its_database_answers(self):
        run = self.run_script()
        run.wait_for_greeting()
        password = re.search(rf"connect +postgresql://app:(\w+)@127\.0\.0\.1:{run.port}/app\n", run.text()).group(1)
        upstream = run.record.read_text()
        self.assertIn(password, upstream)
        answer = subprocess.run(
            ["psql", "-XAtc", "select current_user", upstream], text=True, capture_output=True,
            user="postgres" if os.geteuid() == 0 else None)
        self.assertEqual(answer.stdout, "app\n", answer.stderr)
        run.process.send_signal(signal.SIGTERM)
        run.finish()

    def test_the_password_of_a_real_database_is_not_printed(self):
        run = self.run_script(url="postgresql://me:topsecret@db.example/shop?sslmode=require")
        run.wait_for_greeting()
        self.assertRegex(run.text(), rf"connect +postgresql://me@127\.0\.0\.1:{run.port}/shop\n")
        self.assertNotIn("topsecret", run.text())
        run.process.send_signal(signal.SIGTERM)
        self.assertEqual(run.finish(), 0)

    def test_key_value_connection_strings_are_understood(self):
        run = self.run_script(url="host=db.example user=me dbname='shop' password=topsecret")
        run.wait_for_greeting()
        self.assertIn("//me@127.0.0.1", run.text())
        self.assertIn("/shop\n", run.text())
        run.process.send_signal(signal.SIGTERM)
        run.finish()

    def test_the_greeting_names_the_port_that_was_chosen(self):
        run = self.run_script("--listen=127.0.0.1:0", url="postgresql://me@db.example/shop")
        run.wait_for_greeting()
        port = re.search(r"event=listening address=127\.0\.0\.1:(\d+)", run.text())[1]
        self.assertIn(f"//me@127.0.0.1:{port}/shop", run.text())
        run.process.send_signal(signal.SIGTERM)
        run.finish()

    def test_a_busy_port_is_named(self):
        with socket.create_server(("127.0.0.1", 0)) as other:
            address = f"127.0.0.1:{other.getsockname()[1]}"
            run = self.run_script("--listen", address)
            self.assertEqual(run.finish(), 1)
        self.assertIn(f"{address} is in use", run.text())

    @unittest.skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_an_ordinary_user_can_run_it(self):
        nobody = pwd.getpwnam("nobody").pw_uid
        if not os.stat(RUN).st_mode & stat.S_IROTH or subprocess.run(["test", "-x", RUN], user=nobody).returncode:
            self.skipTest("the checkout is not readable for others")
        run = self.run_script(as_user=nobody)
        run.wait_for_greeting()
        run.process.send_signal(signal.SIGTERM)
        self.assertEqual(run.finish(), 0, run.text())
        self.assertEqual(run.leftovers(), [])


if __name__ == "__main__":
    unittest.main()
