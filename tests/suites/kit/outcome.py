"""What became of the tests of a suite: a name and one of three words for each."""

import json

PASSED, FAILED, SKIPPED = "passed", "failed", "skipped"


def save(outcomes, path):
    path.write_text(json.dumps(outcomes, indent=0, sort_keys=True) + "\n")


def load(path):
    return json.loads(path.read_text())


def count(outcomes, word):
    return sum(1 for outcome in outcomes.values() if outcome == word)


def lost(direct, pooled):
    """What passes directly and not through the pooler. A test that did not come to run is lost too."""
    return sorted(name for name, outcome in direct.items() if outcome == PASSED and pooled.get(name) != PASSED)


def collect(path):
    """From lines of [name, outcome]. A test that fails after it has passed, in its clean-up, has failed."""
    outcomes = {}
    for line in path.read_text().splitlines() if path.exists() else ():
        name, word = json.loads(line)
        if outcomes.get(name) != FAILED:
            outcomes[name] = word
    return outcomes
