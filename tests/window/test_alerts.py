"""The page Alerts against real parts: from the history, acknowledged with a word, taken away; hostile texts."""

import csv
import io
import json
import urllib.parse
import urllib.request

import pytest
from paho.mqtt import publish

from tests.history.records import EPOCH_MS
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import Window

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

HOSTILE = "<img src=x onerror=\"document.title='owned'\">"


@pytest.fixture(scope="module")
def page(plant, browser):
    opened = browser.new_page()
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    opened.on("dialog", lambda dialog: problems.append(dialog.message))
    opened.goto(f"{plant.window.url}#/alerts")
    until(lambda: opened.locator("tbody tr").count() >= 2, lambda: opened.inner_text("main"), 40, 0.2)
    yield opened
    assert problems == []


def status(page):
    return page.inner_text("main > [role=status]")


def exported(plant):
    with urllib.request.urlopen(f"{plant.window.url}api/alerts.csv?since=0") as answer:
        return list(csv.DictReader(io.StringIO(answer.read().decode())))


def test_alerts_are_listed_and_filtered(page):
    until(lambda: "alerts, the newest first" in status(page), lambda: status(page), 10)
    devices = page.locator("tbody tr td:nth-child(3)")
    until(lambda: set(devices.all_inner_texts()) == {"press-1", "press-2"}, devices.all_inner_texts, 40, 0.2)
    page.get_by_label("Filter").fill("press-2")
    assert set(devices.all_inner_texts()) == {"press-2"}
    page.get_by_label("Filter").fill("nothing has this name")
    assert "No alert matches" in status(page)
    page.get_by_label("Filter").fill("")


def test_alert_is_acknowledged_with_a_word_that_is_kept_and_exported(page, plant):
    button = page.get_by_role("button", name="Acknowledge")
    # A new alert that comes just then counts itself in the same place.
    until(lambda: [button.click(), "Choose alerts first" in status(page)][1], lambda: status(page), 10)
    page.locator("tbody tr >> nth=-1").get_by_role("checkbox").check()
    page.get_by_label("Your word").fill('=cmd|" bearing changed')
    page.get_by_role("button", name="Acknowledge").click()
    until(lambda: "1 alert is acknowledged" in status(page), lambda: status(page), 10)
    page.get_by_label("Which").select_option("done")
    line = page.locator("tbody tr")
    until(lambda: line.count() == 1 and "local, " in line.inner_text(), lambda: page.inner_text("main"), 5)
    page.get_by_label("Which").select_option("")
    picture(page, "alerts")
    (row,) = [row for row in exported(plant) if row["word"]]
    # No cell may become a formula where the file is opened.
    assert row["word"] == "'=cmd|\" bearing changed" and row["acknowledged_by"] == "local"
    assert row["detector"] == "zscore" and row["unit"] == "mm/s"


def test_alert_shows_its_samples_from_the_history(page):
    page.locator("tbody tr >> nth=-1").get_by_role("button", name="Show").click()
    told = page.locator("section [role=status]")
    until(lambda: "128 samples at 100.0 a second" in told.inner_text(), told.inner_text, 15)


@pytest.mark.parametrize("text", ["' OR '1'='1", "press-1' --", 'press-1" OR 1=1', "%", "press-_", "press-1\0"])
def test_text_of_a_request_is_no_part_of_a_question_to_the_history(plant, text):
    def asked(path, device):
        query = urllib.parse.urlencode(
            {"device": device, "channel": text, "since": 0, "until": 1 << 41, "journal": text}
        )
        with urllib.request.urlopen(f"{plant.window.url}api/{path}?{query}") as answer:
            return json.load(answer)

    assert asked("alerts", text)["alerts"] == [] and asked("alerts", "press-1")["alerts"] != []
    assert asked("series", "press-1")["t"] == [] and asked("readings", "press-2")["samples"] == []
    assert asked("journal", "press-1")["records"] == [] and asked("journal", text)["journals"] == []


def test_alerts_page_is_accessible(page):
    assert accessibility_faults(page) == []


def test_texts_of_a_hostile_device_stay_texts(page, plant, tmp_path):
    """Names, units, channels and words are whatever a device says."""
    body = {
        "anomaly": True, "value": 1.5, "z_score": 9.9, "mean": 1.0, "stdev": 0.1, "ts": None, "sensor_id": HOSTILE,
        "unit": HOSTILE, "detector": HOSTILE, "device": HOSTILE, "journal": "ab" * 8, "seq": 1, "boot": 1,
        "uptime_ms": EPOCH_MS % 100000, "kind": "alert", "channel": HOSTILE,
    }  # fmt: skip
    health = body | {"kind": "health", "seq": 2, "storage_state": 99, "firmware": HOSTILE}
    with Window(plant.broker.url, tmp_path, "--base", "hostile") as window:
        page.goto(f"{window.url}#/alerts")
        until(lambda: "given no history" in page.inner_text("main") and not page.inner_text("#notice"), "a page", 10)
        for each in (body, health):
            publish.single("hostile/x/alert/x", json.dumps(each), 1, False, "127.0.0.1", plant.broker.port)
        until(lambda: HOSTILE in page.inner_text("tbody"), "it in the list", 10)
        for address in ("#/", "#/device/" + urllib.parse.quote(HOSTILE, safe="")):
            page.evaluate("(hash) => { location.hash = hash; }", address)
            until(lambda: HOSTILE in page.inner_text("main"), address, 10)
            assert page.locator("img").count() == 0
        assert page.title() != "owned"
        assert accessibility_faults(page) == []
