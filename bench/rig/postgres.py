"""A throw-away PostgreSQL, filled by pgbench."""

import os
import secrets
import signal
import subprocess
from pathlib import Path

from .machine import BenchError, Daemon, as_user, clean_environment, free_port, unprivileged_user, wait_until

# Durability and background work off: the disk is not what is measured.
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{directory}'
max_connections = 500
shared_buffers = 512MB
max_wal_size = 4GB
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
jit = off
max_parallel_workers_per_gather = 0
ssl = off
"""


def programs():
    """Where initdb and postgres are: Debian keeps them out of PATH."""
    try:
        asked = subprocess.run(["pg_config", "--bindir"], capture_output=True, text=True).stdout.strip()
    except FileNotFoundError:
        asked = ""
    newest_first = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda p: -float(p.parent.name))
    for directory in [Path(asked or "/nonexistent"), *newest_first]:
        if (directory / "initdb").exists() and (directory / "pgbench").exists():
            return directory
    raise BenchError("no PostgreSQL server programs found (Debian: postgresql-15)")


class Postgres:
    user = database = "bench"
    settings = SETTINGS

    def __init__(self, directory, programs_in=None):
        self.directory = Path(directory)
        self.password = secrets.token_hex(12)
        self.port = free_port()
        self.programs = programs_in or programs()
        self._owner = unprivileged_user()
        if self._owner:
            os.chown(self.directory, self._owner.pw_uid, self._owner.pw_gid)
        self._initialise()
        self._start()
        self._run("createdb", "-h", self.directory, "-U", self.user, self.database)

    def _start(self):
        self._daemon = Daemon([self.programs / "postgres", "-D", self.directory / "data"],
                              self.directory / "log", user=self._owner, stop_signal=signal.SIGINT)
        wait_until(self._is_ready, "PostgreSQL starts")

    def _run(self, program, *arguments, **options):
        done = subprocess.run([str(self.programs / program), *map(str, arguments)], capture_output=True,
                              text=True, env=self.client_environment(), cwd=self.directory, **options)
        if done.returncode:
            raise BenchError(f"{program} failed: {done.stderr.strip()[-500:]}")
        return done.stdout

    def _initialise(self):
        password = self.directory / "password"
        password.write_text(self.password)
        password.chmod(0o644)
        self._run("initdb", "-D", self.directory / "data", "-U", self.user, "--auth=scram-sha-256",
                  f"--pwfile={password}", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", **as_user(self._owner))
        password.unlink()
        with (self.directory / "data" / "postgresql.conf").open("a") as settings:
            settings.write(self.settings.format(port=self.port, directory=self.directory))

    def _is_ready(self):
        self._daemon.check_alive()
        asked = [self.programs / "pg_isready", "-q", "-h", self.directory, "-p", str(self.port)]
        return subprocess.run(asked, env=clean_environment()).returncode == 0

    def client_environment(self):
        return clean_environment(PGPASSWORD=self.password, PGPORT=str(self.port))

    def host(self, sockets):
        return "127.0.0.1" if sockets == "tcp" else str(self.directory)

    def url(self, sockets):
        where = f"127.0.0.1:{self.port}" if sockets == "tcp" else ""
        query = "sslmode=disable" if sockets == "tcp" else f"host={self.directory}&port={self.port}"
        return f"postgresql://{self.user}:{self.password}@{where}/{self.database}?{query}"

    def fill(self, scale):
        self._run("pgbench", "-i", "-q", "-s", scale, "-h", self.directory, "-U", self.user, self.database)
        self._run("psql", "-Xq", "-h", self.directory, "-U", self.user, "-c", "CREATE TABLE sink (line text)",
                  "-c", "VACUUM ANALYZE", "-c", "CHECKPOINT", self.database)

    def scram_secret(self):
        return self._run("psql", "-XqAt", "-h", self.directory, "-U", self.user, "-c",
                         "SELECT rolpassword FROM pg_authid WHERE rolname = current_user", self.database).strip()

    def version(self):
        return self._run("postgres", "--version").split()[2]

    def processes(self):
        """The server's process and those that it has started."""
        listed = subprocess.run(["ps", "-o", "pid=", "--pid", str(self._daemon.pid), "--ppid", str(self._daemon.pid)],
                                capture_output=True, text=True, check=True)
        return [int(word) for word in listed.stdout.split()]

    def restart(self):
        """A fast shutdown and a start: transactions in flight end."""
        self._daemon.stop()
        self._start()

    def stop(self):
        self._daemon.stop()
