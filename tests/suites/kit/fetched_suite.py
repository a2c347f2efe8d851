"""What suites have in common that are fetched once and kept in the cache."""


class FetchedSuite:
    sockets = "tcp"
    snapshots = True
    database = "suite"
    servers = 20

    def __init__(self, options, cache):
        self._options = options
        self._cache = cache / self.name
        self._source = options.source or self._cache / f"source_{self.version}"

    def fill(self, database):
        """What the suite needs beside an empty database."""

    @staticmethod
    def keepsakes(_):
        return {}
