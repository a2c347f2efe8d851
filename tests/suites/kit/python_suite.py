"""What the suites of Python projects have in common."""


class PythonSuite:
    sockets = "tcp"
    snapshots = True
    database = "suite"
    servers = 10

    def __init__(self, options, cache):
        self._options = options
        self._cache = cache / self.name
        self._source = options.source or self._cache / f"source_{self.version}"

    def fill(self, database):
        """What the suite needs beside an empty database."""

    @staticmethod
    def keepsakes(_):
        return {}
