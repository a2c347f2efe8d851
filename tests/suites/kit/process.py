"""Runs a suite: in a session of its own, all of which ends when its time is up or we are told to stop."""

import os
import signal
import subprocess
from pathlib import Path

from rig.machine import LIBC, PR_SET_PDEATHSIG

INSIDE = Path(__file__).resolve().parents[1] / "inside"  # modules that suites load

def run_limited(command, log, *, seconds, cwd, environment):
    """What it printed, also in `log`. After `seconds` the whole session is ended."""
    with log.open("wb") as output:
        process = subprocess.Popen([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=output,
                                   stderr=subprocess.STDOUT, cwd=cwd, env=environment, start_new_session=True,
                                   preexec_fn=lambda: LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGTERM))
        try:
            process.wait(timeout=seconds)
        except subprocess.TimeoutExpired:
            output.write(f"\nended after {seconds} s\n".encode())
        finally:
            end_session(process)
    return log.read_text(errors="replace")


def end_session(process):
    """Of a process that leads its session: it, and what it has started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
