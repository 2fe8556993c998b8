"""MicroPython's own tests on boards: a seeded part on the unix port in each run, all by make test-micropython."""

import random
import re
from pathlib import Path

import pytest

from tests.support.hil import SOAK
from tests.upstream import known, scripts

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs/reference/micropython-tests.md"
PART = 40


def chosen():
    names = scripts.names()
    if SOAK:
        return names
    # Those that a build may skip are for the whole run, which counts what is skipped.
    sure = [
        name
        for name in names
        if not scripts.skips_itself(name)
        and not known.why("skipped", "unix", name)
        and not known.why("failed", "unix", name)
    ]
    return random.Random(22).sample(sure, PART) if sure else []


@pytest.mark.board(*(() if SOAK else ("unix",)))
@pytest.mark.parametrize("name", chosen())
def test_script_of_micropython_prints_what_it_must(shared_board, name):
    if why := known.why("skipped", shared_board.name, name):
        pytest.skip(why)
    outcome, detail = scripts.run(shared_board, name)
    if outcome == scripts.SKIPPED:
        pytest.skip(detail)
    if why := known.why("failed", shared_board.name, name):
        assert outcome == scripts.FAILED, "it passes: take it out of known.toml"
        pytest.xfail(why)
    assert outcome == scripts.PASSED, detail


def test_scripts_are_there():
    if not scripts.names():
        pytest.skip(scripts.MEND)
    assert len(scripts.names()) > 700


def test_page_has_each_board_with_its_failures_and_each_reason():
    page = " ".join(PAGE.read_text(encoding="utf-8").split())
    rows = re.findall(r"\| `([a-z0-9:-]+)` \| (\d+) \| (\d+) \| (\d+) \|", page)
    assert [row[0] for row in rows] == [
        "unix",
        "qemu:mps2-an385",
        "qemu:mps2-an386",
        "qemu:netduino2",
        "qemu:virt",
        "qemu:xtensa",
    ]
    for board, passed, skipped, failed in rows:
        assert int(failed) == len(known.failing(board))
        assert int(passed) + int(skipped) + int(failed) == int(rows[0][1]) + int(rows[0][2]) + int(rows[0][3])
        for script in known.failing(board):
            assert f"`{script.removesuffix('.py')}`" in page
    for reason in known.reasons():
        assert reason in page


@pytest.mark.parametrize(
    ("expected", "printed", "does"),
    [
        ("1\n", "1\n", True),
        ("1\n", "1\n2\n", False),
        ("a\n########\nb\n", "a\nb\n", True),
        ("a\n########\nb\n", "a\nx\ny\nb\n", True),
        ("a\n########\nb\n", "a\nx\nc\n", False),
        ("a ####### c\n", "a bb c\n", True),
        ("a ####### c\n", "a bb d\n", False),
    ],
)
def test_lines_match_as_micropython_writes_them(expected, printed, does):
    assert scripts.matches(expected, printed) is does
