"""The page of roll-outs against real parts: what its process has decided, and what an operator asks of it."""

import time

import pytest

from kittiwake.rollout.members import State
from kittiwake.rollout.plan import Plan
from kittiwake.rollout.store import RolloutStore
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import Command

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

PLAN = Plan("press-1.4.kwu", "1.4", 7, (("<b>absent-1</b>",), ("absent-2", "absent-3")), failures=0.5)


@pytest.fixture(scope="module")
def page(plant, browser):
    opened = browser.new_page()
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("dialog", lambda dialog: dialog.accept())
    opened.goto(f"{plant.window.url}#/rollouts")
    yield opened
    assert problems == []


def status(page):
    return page.inner_text("main > [role=status]")


def test_rollouts_that_are_none_are_told_with_what_to_do_and_no_file_is_made(page, plant):
    until(lambda: "kittiwake rollout start" in status(page), lambda: status(page), 10)
    assert not (plant.folder / "rollouts.sqlite").exists()


def test_rollout_shows_waves_and_is_paused_resumed_and_aborted_by_its_process(page, plant):
    path = plant.folder / "rollouts.sqlite"
    with RolloutStore(path) as store:
        store.begin(PLAN, time.time_ns() // 1_000_000)
    process = Command(
        ["rollout", "run", "--broker", plant.broker.url, "--rollouts", str(path)], plant.folder / "ro.log"
    )
    process.start()
    try:
        rows = page.locator("main table >> nth=0").locator("tbody tr")
        until(
            lambda: rows.count() == 2 and "2 waiting" in rows.nth(1).inner_text(), lambda: page.inner_text("main"), 15
        )
        assert [row.split()[:3] for row in rows.all_inner_texts()] == [["1", "1", "0"], ["2", "2", "1"]]
        assert page.locator("main b").count() == 0
        for order, shown in (("Pause", "paused"), ("Go on", "running"), ("Abort", "aborted")):
            page.get_by_role("button", name=order).click()
            until(lambda shown=shown: status(page) == shown, lambda: status(page), 15)
            assert f"{shown}: asked for" in page.inner_text("main")
    finally:
        process.stop()
    with RolloutStore(path) as store:
        assert store.read().state is State.ABORTED
    lines = page.evaluate("fetch('/api/audit').then((answer) => answer.json())")["lines"]
    assert [line["what"] for line in lines[:3]] == ["abort roll-out", "resume roll-out", "pause roll-out"]
    assert page.get_by_role("button").count() == 0  # it is over
    assert accessibility_faults(page) == []
    picture(page, "rollouts")
