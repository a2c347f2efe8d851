"""Cancels statements that have waited for a lock for too long. State that leaked can leave one behind that
nobody will ever release, such as a prepared transaction, and the suite would stand still."""

import threading

from rig.machine import BenchError

PAUSE = 5
WAIT_MAX = 15  # seconds

CANCEL = f"""
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE wait_event_type = 'Lock' AND state_change < now() - interval '{WAIT_MAX} s'
"""


class LockWatch(threading.Thread):
    def __init__(self, database):
        super().__init__(daemon=True)
        self._database, self._over = database, threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        self.join()

    def run(self):
        while not self._over.wait(PAUSE):
            try:
                self._database.psql(CANCEL)
            except BenchError:
                continue  # no connection is free just now
