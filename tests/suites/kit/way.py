"""The two ways to the database that are compared: directly, and through pgweir."""

import shutil
import subprocess

from rig.machine import Daemon, clean_environment, free_port, wait_until

SOCKET_PORT = 6432  # the name of pgweir's socket file in its directory


class Direct:
    name = "direct"
    log = None

    def __init__(self, database):
        self.database = database

    def where(self, sockets):
        """Host and port for libpq."""
        return self.database.host(sockets), self.database.port

    def check_alive(self):
        pass

    def stop(self):
        pass


class Pooled:
    """pgweir in transaction mode. Its clients over the socket are trusted, as those of the database are."""

    name = "pooled"

    def __init__(self, database, directory, program, *, servers, sockets):
        self.directory = directory
        directory.mkdir(mode=0o700)
        self.port = free_port()
        copy = shutil.copy2(program, directory / "pgweir")  # a build may replace the original meanwhile
        listen = f"127.0.0.1:{self.port}" if sockets == "tcp" else directory
        self._daemon = Daemon(
            [copy, "--listen", listen, "--http", f"127.0.0.1:{free_port()}", "--pool-size", servers,
             "--set", f"auth.method={'scram-sha-256' if sockets == 'tcp' else 'trust'}"],
            directory / "log", environment=clean_environment(DATABASE_URL=database.url(sockets)))
        environment = clean_environment(PGPASSWORD=database.password)
        host, port = self.where(sockets)
        ask = [database.programs / "psql", "-XqAt", "-h", host, "-p", str(port), "-U", database.user,
               "-c", "SELECT 1", database.database]

        def answers():
            self._daemon.check_alive()
            return subprocess.run(ask, env=environment, capture_output=True, text=True).stdout == "1\n"

        wait_until(answers, "pgweir answers")

    def where(self, sockets):
        return ("127.0.0.1", self.port) if sockets == "tcp" else (str(self.directory), SOCKET_PORT)

    @property
    def log(self):
        return self._daemon.log

    def check_alive(self):
        self._daemon.check_alive()

    def stop(self):
        self._daemon.stop()
