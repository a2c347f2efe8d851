"""Four other clients of the same pool. They run short transactions, so that servers change hands, and
look for state that is not theirs: settings above all, then whatever else a session can leave behind."""

import collections
import subprocess
import threading
import time

from rig.machine import clean_environment

COUNT = 4
PAUSE = 0.05  # seconds between transactions: they are to be in the way, not to be a load
END = "end-of-answer"

# What each asks for when it logs in; in a transaction it changes one more for itself.
SETTINGS = ("application_name", "DateStyle", "TimeZone", "IntervalStyle", "statement_timeout", "neighbour.number")
LOCAL = "lock_timeout"
HIDDEN = ("neighbour.number", "role", "session_authorization")  # from SHOW ALL

# SHOW takes no snapshot: it holds back no VACUUM of a suite that looks at plans.
SHOW = "SHOW ALL;\n" + "\n".join(f"\\echo -n '{name}|'\nSHOW {name};" for name in HIDDEN)

# What else a session can leave behind. Rows of kind|name.
LEFT = """
SELECT 'user', concat_ws(' as ', session_user, current_user) WHERE session_user <> '{user}' OR current_user <> '{user}'
UNION ALL SELECT 'cursor', name FROM pg_cursors
UNION ALL SELECT 'prepared', name FROM pg_prepared_statements WHERE from_sql
UNION ALL SELECT 'channel', channel FROM pg_listening_channels() channel
UNION ALL SELECT 'lock', concat_ws(' ', classid, objid) FROM pg_locks
    WHERE locktype = 'advisory' AND pid = pg_backend_pid()
UNION ALL SELECT 'temporary', relname FROM pg_class WHERE relnamespace = pg_my_temp_schema();
"""


class Session:
    """A psql that answers one question at a time."""

    def __init__(self, program, environment, database):
        self._process = subprocess.Popen(
            [str(program), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database], text=True, env=environment,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)

    def ask(self, statements):
        """Lines of output, or an OSError with psql's last words."""
        self._process.stdin.write(f"{statements}\n\\echo {END}\n")
        self._process.stdin.flush()
        lines = []
        while (line := self._process.stdout.readline().rstrip("\n")) != END:
            if not line and self._process.poll() is not None:
                raise OSError("; ".join(lines[-3:]) or "connection lost")
            lines.append(line)
        return lines

    def close(self):
        self._process.kill()
        self._process.communicate()


class Neighbour(threading.Thread):
    def __init__(self, number, connect, left):
        super().__init__(daemon=True)
        self.transactions, self.foreign, self.errors = 0, collections.Counter(), collections.Counter()
        self._connect, self._left = connect, left
        self._values = dict(zip(SETTINGS, (
            f"neighbour {number}", "SQL, DMY" if number % 2 else "German, DMY", f"Etc/GMT+{number}",
            "iso_8601" if number % 2 else "sql_standard", f"{50 + number}s", str(number))))
        self._transaction = f"BEGIN; SET LOCAL {LOCAL} = {10_000 + number};\n{SHOW}\nEND;"
        self._stopping = threading.Event()
        # What a session of its own sees.
        session = Session(*connect(direct=True, **self._values))
        self._outside, self._inside = settings(session.ask(SHOW)), settings(session.ask(self._transaction))
        session.close()

    def run(self):
        while not self._stopping.is_set():
            session = None
            try:
                session = Session(*self._connect(**self._values))
                while not self._stopping.wait(PAUSE):
                    self._transact(session)
            except OSError as problem:
                if not self._stopping.is_set():
                    self.errors[str(problem)] += 1
                    time.sleep(0.5)
            finally:
                if session:
                    session.close()

    def stop(self):
        self._stopping.set()

    def _transact(self, session):
        self._compare(settings(session.ask(self._transaction)), self._inside)
        self._compare(settings(session.ask(SHOW)), self._outside)
        if self._left:
            for row in session.ask(self._left):
                self.foreign[tuple(row.split("|", 1))] += 1
        self.transactions += 2

    def _compare(self, seen, expected):
        for name in seen.keys() | expected.keys():
            # What a library adds to SHOW ALL when it is loaded is nobody's setting.
            if seen.get(name) != expected.get(name) and not ("." in name and name not in expected):
                self.foreign["setting", name] += 1


def settings(lines):
    """Names to values."""
    columns = (line.split("|") for line in lines)
    return {row[0]: row[1] for row in columns if len(row) > 1}


class Neighbours:
    """Those of one way to a database, from `start` to `stop`."""

    def __init__(self, way, database, suite):
        self._way, self._database, self._suite = way, database, suite
        self._all = []

    def start(self):
        left = LEFT.format(user=self._database.user) if self._suite.snapshots else None
        self._all = [Neighbour(number, self._arguments, left) for number in range(1, COUNT + 1)]
        for neighbour in self._all:
            neighbour.start()

    def stop(self):
        for neighbour in self._all:
            neighbour.stop()
        for neighbour in self._all:
            neighbour.join(timeout=30)

    def _arguments(self, direct=False, **settings):
        sockets = self._suite.sockets
        host, port = (self._database.host(sockets), self._database.port) if direct else self._way.where(sockets)
        options = " ".join(f"-c {name}={value.replace(' ', chr(92) + ' ')}" for name, value in settings.items()
                           if name != "application_name")
        environment = clean_environment(
            PGHOST=str(host), PGPORT=str(port), PGUSER=self._database.user, PGPASSWORD=self._database.password,
            PGAPPNAME=settings["application_name"], PGOPTIONS=options)
        return self._database.programs / "psql", environment, self._suite.database

    @property
    def transactions(self):
        return sum(neighbour.transactions for neighbour in self._all)

    def foreign(self):
        """Kinds and names of what they saw, with how often."""
        return sum((neighbour.foreign for neighbour in self._all), collections.Counter())

    def errors(self):
        """What psql said, with how often."""
        return sum((neighbour.errors for neighbour in self._all), collections.Counter())
