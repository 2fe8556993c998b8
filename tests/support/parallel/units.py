"""What a worker takes at a time, how long it takes by the record, and which unit is the next for whom.

A unit is the tests of one file on one target: what they share (a started board, a compiled model) is made once for
them. Knows ids of tests and seconds; not pytest-xdist, not what a target is.
"""

import json
import re
from pathlib import Path
from typing import NamedTuple

# Seconds by "FILE TARGET", written by `pytest --record-durations`. A unit that is not in it counts by its tests: wrong
# durations cost balance, never a result.
RECORD = Path(__file__).resolve().parents[2] / "durations.json"
UNKNOWN_S = 0.1
# A second board of a target starts, with the firmware put on it, in 2 to 5 s: a rest below this stays where it is.
WORTH_A_BOARD_S = 10.0


class Unit(NamedTuple):
    """The tests of one file on one target.

    Args:
        file: path of the test file, as in ids.
        target: name of the target; "" where the tests take none.
    """

    file: str
    target: str

    @property
    def key(self):
        return f"{self.file} {self.target}".rstrip()


def unit_of(test_id, targets):
    """The unit that a test belongs to: its target is the one whose name is a parameter of the test.

    Args:
        test_id: as pytest prints it.
        targets: names of targets.
    """
    file, _, rest = test_id.partition("::")
    parameters = rest.partition("[")[2].removesuffix("]")
    named = (name for name in targets if re.search(rf"(?:^|-){re.escape(name)}(?:-|$)", parameters))
    return Unit(file, next(named, ""))


def load_record(path=RECORD):
    """The recorded seconds by Unit.key; empty when nothing was recorded."""
    return json.loads(path.read_text()) if path.exists() else {}


def store_record(seconds, path=RECORD):
    """Write seconds by Unit.key over those recorded before, without units under a second and files that are gone."""
    root = path.parent.parent
    merged = load_record(path) | {key: round(value, 1) for key, value in seconds.items()}
    kept = {key: value for key, value in sorted(merged.items()) if value >= 1 and (root / key.split()[0]).exists()}
    path.write_text(json.dumps(kept, indent=0) + "\n")


def seconds_of(unit, count, record):
    """How long a unit takes: what is recorded, else a guess from the count of its tests."""
    return record.get(unit.key, count * UNKNOWN_S)


def choose(waiting, mine, others):
    """The unit that a worker takes next.

    A worker keeps its target while that has work; then it takes the target that waits longest and that nobody has; then
    what needs no target, the longest first, so that small ones even out the end. Last it helps with another's target.

    Args:
        waiting: dict of Unit -> seconds, not empty.
        mine: target whose board this worker has, or "".
        others: set of the targets whose boards other workers have.

    Returns:
        A Unit; None when all that waits is better left to the others.
    """
    by_target = {}
    for unit, seconds in waiting.items():
        by_target.setdefault(unit.target, {})[unit] = seconds
    loose = by_target.pop("", {})
    total = {target: sum(units.values()) for target, units in by_target.items()}
    free = [target for target in total if target not in others]
    if mine in by_target:
        units = by_target[mine]
    elif free:
        units = by_target[max(free, key=total.get)]
    elif loose:
        units = loose
    else:
        target = max(total, key=total.get)
        if total[target] < WORTH_A_BOARD_S:
            return None
        units = by_target[target]
    return max(units, key=units.get)
