"""The page of the gateways against real parts: links with rates, the broker, the history, and who did what."""

import re
import time

import pytest

from kittiwake.history import open_history
from kittiwake.history.row import read
from kittiwake.history.stores import open_store
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import Window, seconds_until

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

TRUTH_S = 5.0


@pytest.fixture(scope="module")
def page(plant, browser):
    opened = browser.new_page()
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.goto(f"{plant.window.url}#/gateway")
    until(lambda: opened.locator("section tbody tr").count() == 2, lambda: opened.inner_text("main"), 30, 0.1)
    yield opened
    assert problems == []


def test_gateway_shows_its_links_with_rates_and_what_waits(page):
    def rates():
        return [float(text) for text in page.locator("section tbody td:nth-child(5)").all_inner_texts() if text != "–"]

    # A summary a second, health every two, alerts: it is more than one and fewer than twenty.
    until(lambda: len(rates()) == 2 and all(1 <= rate < 20 for rate in rates()), rates, 20, 0.2)
    text = page.inner_text("section")
    assert "gate" in text and "press-1" in text and "online" in text and "connected" in text
    assert accessibility_faults(page) == []
    picture(page, "gateway")


def test_gateway_gives_the_newest_lines_of_its_log(page, plant):
    section = page.locator("section")
    section.get_by_role("button", name="Read its log").click()
    told = section.locator("[role=status]")
    until(lambda: "the newest first" in told.inner_text(), told.inner_text, 15)
    lines = section.locator("ol.log li span").all_inner_texts()
    logged = (plant.folder / "bridge.log").read_text()
    assert any("press-1" in text for text in lines) and all(text in logged for text in lines)
    assert accessibility_faults(page) == []


def test_gateway_page_says_how_the_history_is(page, plant):
    own = page.locator("dl.facts >> nth=-1")
    until(lambda: "its newest record came" in own.inner_text(), own.inner_text, 10)
    assert str(plant.database) in own.inner_text()


def test_history_that_stops_is_told_with_its_number_of_records(page, plant):
    plant.history.kill()
    try:
        notice = page.locator("#notice")
        until(lambda: "The history is behind by" in notice.inner_text(), notice.inner_text, 15)
        assert int(re.search(r"by (\d+) records", notice.inner_text())[1]) >= 1
    finally:
        plant.history.start()
    until(lambda: notice.inner_text() == "", notice.inner_text, 20)


def test_history_that_lags_by_an_hour_is_told_with_since_when(page, plant, tmp_path):
    """A window's own ears hear the devices; the newest that its history has of them came an hour ago."""
    database, hour_ago_ms = tmp_path / "h.sqlite", time.time_ns() // 1_000_000 - 3_600_000
    with open_history(plant.database) as history:
        kept = [message for message in history.messages("boot", "press-1") if message.seq == 0]
    store = open_store(str(database))
    store.write([read("kittiwake/press-1/boot", kept[0].payload.encode())], hour_ago_ms)
    store.close()
    with Window(plant.broker.url, tmp_path, "--database", str(database)) as window:
        page.goto(f"{window.url}#/gateway")
        notice = page.locator("#notice")
        took_s = seconds_until(lambda: "The history is behind by" in notice.inner_text(), 20, "the lag")
        assert took_s < TRUTH_S + 1  # a record that has just come is no lag yet, and the next comes within a second
        shown = page.evaluate("async (ms) => (await import('/page/times.js')).clock(ms)", hour_ago_ms)
        assert f"the newest that it has came at {shown}" in notice.inner_text()
        assert re.search(r"\d+ records behind; its newest record came 1 h 0 min ago", page.inner_text("main"))
