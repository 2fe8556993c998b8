"""The page Now against real parts: what it says of devices, gateway and broker, and how soon after what happened."""

import re

import pytest
from paho.mqtt import publish

from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import seconds_until

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

TRUTH_S = 5.0


@pytest.fixture(scope="module")
def page(plant, browser):
    """The page, open all the time: it is what a person has on the wall."""
    opened = browser.new_page()
    requests, problems = [], []
    opened.on("request", lambda request: requests.append(request.url))
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    opened.requests = requests
    opened.goto(plant.window.url)
    yield opened
    assert problems == []
    opened.close()


def row(page, device):
    """What the table says of a device, one text."""
    # In one step: the row may go at any time.
    return page.evaluate("name => document.querySelector(`tr[data-device='${name}']`)?.innerText ?? ''", device)


def shows(page, device, *words):
    return lambda: all(word in row(page, device) for word in words)


def both_online(page):
    until(shows(page, "press-1", "online", "last record"), lambda: page.inner_text("main"), 20, 0.1)
    until(shows(page, "press-2", "online", "last record"), lambda: page.inner_text("main"), 20, 0.1)


def test_now_shows_devices_that_are_heard_as_online_and_says_how_it_knows(page, plant):
    both_online(page)
    assert re.search(r"last record \d s ago", row(page, "press-1"))
    until(lambda: re.search(r"\d+ records", row(page, "press-1")), "what waits, by the gateway's answer", 5)
    assert "2 of 2 devices online" in page.inner_text(".counts")
    assert "gate" in page.inner_text(".gateways")
    assert "Nothing needs attention" in page.inner_text(".attention")
    picture(page, "now")


def test_now_asks_no_other_host_and_is_light(page, plant):
    assert page.requests and all(url.startswith(plant.window.url) for url in page.requests)
    sizes = page.evaluate(
        "performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation'))"
        ".filter(e => !e.name.includes('/api/')).map(e => e.decodedBodySize)"
    )
    assert len(sizes) > 5 and 10_000 < sum(sizes) < 300_000


def test_now_fetches_all_modules_of_its_first_view_at_once(page, plant):
    """A module that the page's head does not name waits for the one that imports it."""
    named = page.evaluate("[...document.querySelectorAll('link[rel=modulepreload]')].map((link) => link.href)")
    fetched = {url for url in page.requests if url.endswith(".js")}
    assert len(named) > 5 and set(named) == fetched


def test_now_is_accessible_in_light_and_dark_and_on_a_phone(page):
    assert accessibility_faults(page) == []


def test_now_is_reached_by_keyboard(page, plant):
    page.reload()
    both_online(page)
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        reached.append(page.evaluate("document.activeElement.textContent || document.activeElement.id"))
    assert reached[0] == "Skip to the page" and "Kittiwake" in reached and "Now" in reached
    assert any("attention" in text for text in reached)


def test_now_does_not_take_a_retained_word_for_a_device_that_is_there(page, plant):
    port = plant.broker.port
    publish.single("kittiwake/ghost/status", b"online", 1, True, "127.0.0.1", port)
    try:
        until(shows(page, "ghost", "not confirmed"), lambda: page.inner_text("main"), TRUTH_S)
        assert "A word that the broker kept is no proof" in page.inner_text(".attention")
        assert "2 of 3 devices online" in page.inner_text(".counts")
    finally:
        publish.single("kittiwake/ghost/status", b"", 1, True, "127.0.0.1", port)
    until(lambda: not row(page, "ghost"), "forgotten", TRUTH_S)


def test_now_says_within_five_seconds_that_a_node_was_killed(page, plant):
    both_online(page)
    board = plant.boards["press-1"]
    board.cut_power()
    took_s = seconds_until(shows(page, "press-1", "offline", "since"), TRUTH_S + 3, "offline")
    assert took_s < TRUTH_S
    attention = page.inner_text(".attention")
    assert "press-1" in attention and "Look at power and cable" in attention
    assert "online" in row(page, "press-2")
    plant.run_node("press-1")
    both_online(page)


def test_now_says_within_five_seconds_that_the_bridge_was_killed(page, plant):
    both_online(page)
    plant.bridge.kill()
    took_s = seconds_until(shows(page, "press-1", "not known", "since"), TRUTH_S + 3, "not known")
    assert took_s < TRUTH_S
    assert "its gateway has left the broker" in page.inner_text(".attention").lower()
    assert "0 of 2 devices online" in page.inner_text(".counts")
    plant.bridge.start()
    both_online(page)


def test_now_says_within_five_seconds_that_the_bridge_hangs(page, plant):
    """A cable that is cut closes no connection: the broker keeps the word `online` for many seconds."""
    both_online(page)
    plant.bridge.freeze()
    try:
        gone = lambda: not shows(page, "press-1", "online")()  # noqa: E731
        took_s = seconds_until(gone, TRUTH_S + 5, "no longer online")
        assert took_s < TRUTH_S + 0.5
        until(lambda: "does not answer" in page.inner_text(".attention"), "why", 3)
    finally:
        plant.bridge.thaw()
    both_online(page)


def test_now_says_within_five_seconds_that_the_broker_is_stopped(page, plant):
    both_online(page)
    plant.broker.stop()
    took_s = seconds_until(lambda: "broker is away since" in page.inner_text("#notice"), TRUTH_S, "the broker's end")
    assert took_s < TRUTH_S
    until(shows(page, "press-1", "not known", "since"), "not known", TRUTH_S)
    plant.broker.start()
    until(lambda: page.inner_text("#notice") == "", "the broker is back", 20)
    both_online(page)


def test_now_says_within_five_seconds_that_its_own_server_is_gone(page, plant):
    both_online(page)
    port = int(plant.window.url.rstrip("/").rpartition(":")[2])
    plant.window.kill()
    took_s = seconds_until(lambda: "lost its server" in page.inner_text("#notice"), TRUTH_S, "the server's end")
    assert took_s < TRUTH_S
    plant.window = plant.new_window(port)
    plant.window.start()
    until(lambda: page.inner_text("#notice") == "", "the server is back", 20)
    both_online(page)


def test_now_filters_and_sorts(page, plant):
    both_online(page)
    page.get_by_label("Filter").fill("press-2")
    until(lambda: page.locator("tbody tr").count() == 1, "one row", 5)
    page.get_by_label("Filter").fill("no such device")
    until(lambda: "No device matches" in page.inner_text("main"), "an empty state", 5)
    page.get_by_label("Filter").fill("")
    page.get_by_label("Sort by").select_option("device")
    assert page.locator("tbody tr td.device").all_inner_texts() == ["press-1", "press-2"]
    page.get_by_label("State", exact=True).select_option("offline")
    until(lambda: "No device matches" in page.inner_text("main"), "none is off line", 5)
    page.get_by_label("State", exact=True).select_option("")
