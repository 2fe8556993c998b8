"""The page of roll-outs against real parts: what its process has decided, and what an operator asks of it."""

import hashlib
import time
from dataclasses import replace

import pytest

from kittiwake.rollout.gates import Measures
from kittiwake.rollout.members import Back, Member, Phase, State
from kittiwake.rollout.plan import Plan
from kittiwake.rollout.store import RolloutStore
from tests.support.releases import release
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import Command

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

PLAN = Plan("press-1.4.kwu", "1.4", 7, (("<b>absent-1</b>",), ("absent-2", "absent-3")), failures=0.5)

# Two alerts in an hour.
BEFORE = Measures(3, 3_600_000, 2, 0, 41_000, 12_500, 0.25)


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


def test_rollout_shows_waves_and_is_paused_resumed_taken_back_and_aborted_by_its_process(page, plant):
    path = plant.folder / "rollouts.sqlite"
    older = release(6, arch="x64", allows_downgrade=True)
    (plant.folder / "press-1.3.kwu").write_bytes(older)
    (plant.folder / "press-1.2.kwu").write_bytes(release(5, arch="x64"))  # it may not replace a later one
    (plant.folder / "press-1.1.kwu").write_bytes(older[:-1])
    with RolloutStore(path) as store:
        id = store.begin(PLAN, time.time_ns() // 1_000_000).id
        boards = [Member(name, number, since_ms=1) for number, wave in enumerate(PLAN.waves) for name in wave]
        store.write(id, State.RUNNING, [replace(boards[0], phase=Phase.OFFERED, before=BEFORE), *boards[1:]], [])
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
        figures = page.locator("main details")
        assert figures.count() == 1 and figures.locator("summary").inner_text() == "free heap 41000 bytes, –"
        told = figures.locator("div").all_text_contents()
        assert told[0] == "longest turn of the loop 12.5 ms, –" and told[-1] == "alerts a day 48.0, –"
        assert page.get_by_label("An older release").locator("option").all_inner_texts() == ["press-1.3.kwu"]
        orders = {"Pause": "paused", "Go on": "running", "Take back to it": "taken back", "Abort": "aborted"}
        for order, shown in orders.items():
            page.get_by_role("button", name=order).click()
            until(lambda shown=shown: status(page) == shown, lambda: status(page), 15)
            assert f"{shown}: " in page.inner_text("main table >> nth=-1")
            if order == "Take back to it":
                picture(page, "rollouts")
    finally:
        process.stop()
    with RolloutStore(path) as store:
        kept = store.read()
    assert kept.state is State.ABORTED
    assert kept.back == Back("press-1.3.kwu", 6, hashlib.sha256(older).hexdigest())
    lines = page.evaluate("fetch('/api/audit').then((answer) => answer.json())")["lines"]
    assert [line["what"] for line in lines[:4]] == [f"{what} roll-out" for what in ("abort", "back", "resume", "pause")]
    assert lines[1]["detail"] == "press-1.3.kwu"
    assert page.get_by_role("button").all_inner_texts() == ["Take back to it"]  # what is over can only be that
    assert accessibility_faults(page) == []


@pytest.mark.parametrize("name", ["press-1.2.kwu", "press-1.1.kwu", "../press-1.3.kwu", ""])
def test_rollout_is_taken_back_to_no_release_but_those_that_are_offered(page, name):
    told = page.evaluate(
        "async (release) => { const { act } = await import('/page/me.js');"
        " return act('order', { id: 1, order: 'back', release }).then(() => '', (error) => error.message); }",
        name,
    )
    assert told == "release: none of that name may be taken back to"
