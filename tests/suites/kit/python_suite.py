"""What the suites of Python projects have in common."""

from rig.machine import clean_environment

from . import outcome
from .fetched_suite import FetchedSuite
from .process import INSIDE, run_limited

PYTEST = ("pytest==8.3.3", "pytest-timeout==2.3.1")
LIMIT = 60 * 60  # seconds
TEST_LIMIT = 60


class PythonSuite(FetchedSuite):
    servers = 10

    def _pytest(self, directory, place, *words, **environment):
        """Outcomes of what pytest finds in `place`."""
        results = directory / "outcomes"
        command = [self._environment.python, "-B", "-m", "pytest", "-p", "pytest_outcomes",
                   f"--timeout={TEST_LIMIT}", *words]
        run_limited(command, directory / "output", seconds=LIMIT, cwd=place, environment=clean_environment(
            PYTHONPATH=str(INSIDE), OUTCOMES=str(results), **environment))
        return outcome.collect(results)
