"""Processes that die with us, and what the kernel says about them."""

import ctypes
import os
import platform
import pwd
import resource
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
PR_SET_PDEATHSIG = 1
DESCRIPTORS_USUAL = 4096
LIBC = ctypes.CDLL(None)


class BenchError(Exception):
    """A sentence for whoever started the measurement."""


@dataclass(frozen=True)
class Cpu:
    """Seconds that a process has spent, all its threads, also those that have ended."""

    user: float
    system: float

    def __sub__(self, earlier):
        return Cpu(self.user - earlier.user, self.system - earlier.system)


def cpu_of(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return Cpu(int(fields[11]) * TICK, int(fields[12]) * TICK)


def memory_of(pid):
    """Bytes of a process's own memory (proportional set size): the kernel's buffers are not in it."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    raise BenchError(f"no memory figures for process {pid}")


def unprivileged_user():
    """Whom to run servers as: PostgreSQL and PgBouncer refuse root. None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise BenchError("running as root, and there is neither a user postgres nor nobody")


def allow_descriptors(count):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= count:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))
    except (ValueError, OSError) as problem:
        raise BenchError(f"needs {count} open files, allowed are {hard}: raise ulimit -n") from problem


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def clean_environment(**extra):
    """Ours without whatever would steer libpq or pgweir."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PG") and k != "DATABASE_URL"}
    return kept | {"LC_ALL": "C.UTF-8"} | extra


def as_user(user):
    """Arguments for subprocess that become this user."""
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}


class Daemon:
    """A server in the foreground of its own session, its output in a file."""

    def __init__(self, command, log, *, environment=None, user=None, stop_signal=signal.SIGTERM):
        self.log = Path(log)
        self._stop_signal = stop_signal
        with self.log.open("ab") as output:
            self._process = subprocess.Popen(
                [str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                env=environment or clean_environment(), cwd=self.log.parent, start_new_session=True,
                preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, stop_signal), **as_user(user))

    @property
    def pid(self):
        return self._process.pid

    def check_alive(self):
        if self._process.poll() is not None:
            tail = self.log.read_text(errors="replace").strip().splitlines()[-5:]
            raise BenchError(f"{self._process.args[0]} ended ({self._process.returncode}): " + "\n".join(tail))

    def stop(self):
        if self._process.poll() is None:
            self._process.send_signal(self._stop_signal)
        try:
            self._process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def wait_until(condition, what, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise BenchError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def describe():
    """One line about the machine."""
    model = next((line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
                  if line.startswith("model name")), platform.machine())
    return f"{model}, {os.cpu_count()} CPUs, Linux {platform.release()}"
