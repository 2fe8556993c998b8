"""Power cuts in an update at flash operations, on MicroPython's unix port and its LittleFS; update_cuts.py does them.

KITTIWAKE_SOAK=1 cuts at every operation, before it and in its middle; else at some, evenly spread.
"""

import json
import os

import pytest

from tests.support.micropython import FIRMWARE, run_script

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
SOME = 12
pytestmark = pytest.mark.timeout(1000)


def cut(**settings):
    settings = {"cuts": 0 if SOAK else SOME, **settings}
    return run_script("tests/powercut/update_cuts.py", str(FIRMWARE), json.dumps(settings), timeout_s=900)


@pytest.mark.parametrize(
    ("settings", "least"),
    [({}, 100), ({"again": True}, 100), ({"alone": True}, 25)],
    ids=["over-an-older-one", "over-one-taken-back", "configuration-alone"],
)
def test_update_cut_at_flash_operations_leaves_one_whole_application_and_ends_with_the_new_one(settings, least):
    report = cut(**settings)
    print(report)
    assert report["faults"] == 0, report["first"]
    assert report["cuts"] == (2 * report["operations"] if SOAK else SOME)
    assert report["operations"] > least and report["ends"]["old"] and report["ends"]["new"]


def test_judge_of_cuts_sees_a_slot_that_is_marked_before_it_is_whole():
    assert cut(sabotage="mark-first", cuts=SOME)["faults"] > 0


def test_judge_of_cuts_sees_marks_that_go_in_the_wrong_order():
    assert cut(sabotage="disown-backwards", again=True, cuts=0, first=16)["faults"] > 0
