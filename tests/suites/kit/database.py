"""The throw-away PostgreSQL that suites run against."""

from rig.postgres import Postgres

# Memory and background work are PostgreSQL's own: plans and statistics are part of what suites test.
SETTINGS = """
listen_addresses = '127.0.0.1'
port = {port}
unix_socket_directories = '{directory}'
max_connections = 300
max_prepared_transactions = 20
wal_level = logical
fsync = off
synchronous_commit = off
full_page_writes = off
ssl = off
"""

# Suites create roles without passwords. Only the owner of the directory, and root, reach the socket.
HOST_BASED = """
local all all trust
host all all 127.0.0.1/32 scram-sha-256
"""


class Database(Postgres):
    user = database = "suite"
    settings = SETTINGS

    def _initialise(self):
        self.directory.chmod(0o700)
        super()._initialise()
        (self.directory / "data" / "pg_hba.conf").write_text(HOST_BASED)

    def psql(self, *statements, database="suite"):
        commands = [word for statement in statements for word in ("-c", statement)]
        return self._run("psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-h", self.directory, "-U", self.user,
                         *commands, database)
