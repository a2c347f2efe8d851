"""What is compared: nothing between, pgweir, PgBouncer, HAProxy. Each starts its own process.

All listen where `sockets` says (tcp: loopback, unix: a directory) and reach PostgreSQL the same way.
Towards PostgreSQL everybody logs in with SCRAM. `auth` is what clients must do at the proxy; what
passes through (direct, HAProxy) does SCRAM with the server in any case.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path

from .machine import BenchError, Daemon, clean_environment, free_port, unprivileged_user, wait_until

CLIENTS_MAX = 20_000
UNPOOLED_CLIENTS_MAX = 400  # each takes a server connection; PostgreSQL here allows 500


class Target:
    """One way to the database. `note` says what a reader of the table must know about it."""

    name = ""
    pools = True
    note = ""

    def __init__(self, postgres, directory, options):
        self.postgres, self.directory, self.options = postgres, Path(directory), options
        self.daemon = self.place = None

    def start(self, *, sockets, auth, session=False):
        """Returns when queries pass."""
        self.sockets, self.auth, self.session = sockets, auth, session
        self.port = free_port()
        self.place = self.directory / f"{self.name}-{self.port}"
        self.place.mkdir()
        owner = unprivileged_user()
        if owner:
            os.chown(self.place, owner.pw_uid, owner.pw_gid)
        command, environment = self.command()
        if command:
            self.daemon = Daemon(self.prefix() + command, self.place / "log", user=owner,
                                 environment=clean_environment(**environment))
        wait_until(self._answers, f"{self.name} answers")

    def prefix(self):
        """What to run it under, such as a profiler."""
        return list(self.options.under)

    def stop(self):
        if self.daemon:
            self.daemon.stop()
            self.daemon = None
        if self.place:
            shutil.rmtree(self.place, ignore_errors=True)

    def command(self):
        """The command line and what to add to the environment."""
        raise NotImplementedError

    def where(self):
        """Host and port for libpq."""
        return ("127.0.0.1" if self.sockets == "tcp" else str(self.place)), self.port

    def conninfo(self):
        host, port = self.where()
        return (f"host={host} port={port} user={self.postgres.user} dbname={self.postgres.database} "
                "sslmode=disable gssencmode=disable")

    def _answers(self):
        if self.daemon:
            self.daemon.check_alive()
        asked = subprocess.run([self.postgres.programs / "psql", "-XqAt", "-c", "SELECT 1", self.conninfo()],
                               env=self.postgres.client_environment(), capture_output=True, text=True)
        return asked.stdout == "1\n"

    def write(self, name, text):
        path = self.place / name
        path.write_text(text)
        path.chmod(0o644)
        return path


class Direct(Target):
    name = "direct"
    pools = False

    def command(self):
        return [], {}

    def prefix(self):
        return []

    def where(self):
        return self.postgres.host(self.sockets), self.postgres.port

    @staticmethod
    def version(_):
        return ""


class Pgweir(Target):
    name = "pgweir"
    socket_port = 6432  # the name of its socket file in the directory

    def command(self):
        # A copy: the checkout may be in a place that the unprivileged user cannot enter.
        program = Path(shutil.copy2(self.options.pgweir, self.place / "pgweir"))
        program.chmod(0o755)
        listen = f"127.0.0.1:{self.port}" if self.sockets == "tcp" else str(self.place)
        words = [program, "--listen", listen, "--http", f"127.0.0.1:{free_port()}",
                 "--pool-size", self.options.pool_size]
        if self.session:
            words += ["--pool-mode", "session"]
        if self.options.workers:
            words += ["--workers", self.options.workers]
        return words, {
            "DATABASE_URL": self.postgres.url(self.sockets), "PGWEIR_AUTH_METHOD": self.auth,
            "PGWEIR_MAX_CLIENT_CONN": str(CLIENTS_MAX), "PGWEIR_LOG_LEVEL": "warning"}

    def where(self):
        return ("127.0.0.1", self.port) if self.sockets == "tcp" else (str(self.place), self.socket_port)

    @staticmethod
    def version(options):
        return first_line(options.pgweir, "--version")


class Pgbouncer(Target):
    name = "pgbouncer"

    @staticmethod
    def keeps_statements():
        """Since 1.21 it knows prepared statements in transaction mode."""
        found = re.search(r"(\d+)\.(\d+)", Pgbouncer.version(None))
        return bool(found) and (int(found[1]), int(found[2])) >= (1, 21)

    def command(self):
        # With the server's own SCRAM secret it need not derive keys at each login. Without a login
        # to take them from, it needs the password itself.
        secret = self.postgres.scram_secret() if self.auth == "scram-sha-256" else self.postgres.password
        users = self.write("users", f'"{self.postgres.user}" "{secret}"\n')
        lines = [
            "[databases]", f"* = host={self.postgres.host(self.sockets)} port={self.postgres.port}",
            "[pgbouncer]", f"listen_addr = {'127.0.0.1' if self.sockets == 'tcp' else ''}",
            f"listen_port = {self.port}", f"unix_socket_dir = {self.place if self.sockets == 'unix' else ''}",
            f"auth_type = {self.auth}", f"auth_file = {users}",
            f"pool_mode = {'session' if self.session else 'transaction'}",
            f"default_pool_size = {self.options.pool_size}", f"max_client_conn = {CLIENTS_MAX}",
            "listen_backlog = 4096", "log_connections = 0", "log_disconnections = 0",
            "server_tls_sslmode = disable"]
        if self.keeps_statements():
            lines.append("max_prepared_statements = 200")
        return [program("pgbouncer"), self.write("pgbouncer.ini", "\n".join(lines) + "\n")], {}

    @staticmethod
    def version(_):
        return first_line(program("pgbouncer"), "--version")


class Haproxy(Target):
    name = "haproxy"
    pools = False
    note = "forwards each client to a server connection of its own: it does not pool"

    def command(self):
        if self.sockets == "tcp":
            listen, server = f"127.0.0.1:{self.port}", f"127.0.0.1:{self.postgres.port}"
        else:
            listen = f"unix@{self.place}/.s.PGSQL.{self.port}"
            server = f"unix@{self.postgres.directory}/.s.PGSQL.{self.postgres.port}"
        lines = [
            "global", f"  maxconn {UNPOOLED_CLIENTS_MAX}", "defaults", "  mode tcp",
            "  timeout connect 10s", "  timeout client 1h", "  timeout server 1h",
            "frontend clients", f"  bind {listen}", "  default_backend servers",
            "backend servers", f"  server postgres {server}"]
        return [program("haproxy"), "-db", "-f", self.write("haproxy.cfg", "\n".join(lines) + "\n")], {}

    @staticmethod
    def version(_):
        return first_line(program("haproxy"), "-v")


TARGETS = {target.name: target for target in (Direct, Pgweir, Pgbouncer, Haproxy)}


def program(name):
    """Debian keeps daemons in /usr/sbin, which an ordinary user has not in PATH."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if not found:
        raise BenchError(f"{name} is not installed")
    return found


def first_line(command, argument):
    done = subprocess.run([command, argument], capture_output=True, text=True)
    return (done.stdout or done.stderr).strip().splitlines()[0]
