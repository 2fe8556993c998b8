"""The page of the gateways against real parts: links with rates, the broker, the history, and who did what."""

import re

import pytest

from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]


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
