"""What an operator does to a device from its page, against real parts: commands, its configuration, its groups."""

import contextlib
import json
import threading
import urllib.request

import pytest
from paho.mqtt import client as paho
from paho.mqtt.enums import CallbackAPIVersion

from kittiwake.fleet.store import FleetStore
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

DEVICE = "press-1"


@pytest.fixture(scope="module")
def page(plant, browser):
    opened = browser.new_page(viewport={"width": 1200, "height": 820})
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    yield opened
    assert problems == []


@pytest.fixture
def device_page(page, plant):
    page.goto(f"{plant.window.url}#/device/{DEVICE}")
    section = page.locator("section.commands")
    until(lambda: section.count() == 1 and "online" in page.inner_text(".state"), "its commands", 20)
    return section


def test_device_is_asked_who_it_is_and_its_answer_is_shown_and_written_down(device_page, page):
    device_page.get_by_role("button", name="Identify").click()
    status = device_page.locator("[role=status]")
    until(lambda: status.inner_text().startswith('ok: {"firmware":'), status.inner_text, 15)
    lines = page.evaluate("fetch('/api/audit').then((answer) => answer.json())")["lines"]
    assert (lines[0]["who"], lines[0]["what"], lines[0]["subject"]) == ("local", "command identify", DEVICE)


def test_device_whose_configuration_is_edited_takes_it_or_says_why_not(device_page, page):
    device_page.get_by_role("button", name="Read its configuration").click()
    field, status = device_page.get_by_label("Configuration"), device_page.locator("[role=status]")
    until(lambda: field.is_visible() and DEVICE in field.input_value(), status.inner_text, 15)
    config = json.loads(field.input_value())
    helped, faults = device_page.locator("#config-help"), device_page.locator("ul.faults li")
    until(lambda: "Settings here: " in helped.inner_text(), helped.inner_text, 30)  # a virtual board tells them
    assert faults.count() == 0
    text = field.input_value()
    for word, told in (
        ('"health_s', "health_s: a health record as often; 60 unless set. Settings here: action, block, "),
        ("11/2", "channels[0].detectors[0].t: deviations: threshold, P/Q"),
        ('"source"', "channels[0].source: table: where samples come from. Settings here: follow, kind, path."),
    ):
        place = text.index(word) + 2
        field.evaluate("(field, place) => field.setSelectionRange(place, place)", place)
        field.press("Shift")
        assert helped.inner_text().startswith(told)
    wrong = config | {"helth_s": 3, "channels": [config["channels"][0] | {"bits": "12"}]}
    field.fill(json.dumps(wrong))
    assert [text.split(";")[0] for text in faults.all_inner_texts()] == [
        "channels[0].bits takes integer.", "helth_s is no setting",
    ]  # fmt: skip
    assert accessibility_faults(page) == []
    picture(page, "configuration")
    field.fill("{")
    device_page.get_by_role("button", name="Send this").click()
    until(lambda: "nothing was sent" in status.inner_text(), status.inner_text, 5)
    field.fill(json.dumps(config | {"health_s": 0}))
    device_page.get_by_role("button", name="Send this").click()
    until(
        lambda: status.inner_text().startswith("refused: ") and "health_s" in status.inner_text(), status.inner_text, 15
    )
    field.fill(json.dumps(config | {"health_s": 3}))
    device_page.get_by_role("button", name="Send this").click()
    until(lambda: "next start" in status.inner_text(), status.inner_text, 15)


def test_of_two_operators_who_edit_one_configuration_the_second_is_told(device_page, browser, page, plant):
    with browser.new_context() as context:
        other = context.new_page()
        other.goto(f"{plant.window.url}#/device/{DEVICE}")
        for each in (page, other):
            each.get_by_role("button", name="Read its configuration").click()
            field = each.get_by_label("Configuration")
            until(lambda field=field: field.is_visible() and DEVICE in field.input_value(), "it", 15)
        config = json.loads(field.input_value())
        for each, health_s, told in ((page, 4, "next start"), (other, 5, "not the one that you edited")):
            each.get_by_label("Configuration").fill(json.dumps(config | {"health_s": health_s}))
            each.get_by_role("button", name="Send this").click()
            status = each.locator("section.commands [role=status]")
            until(lambda status=status, told=told: told in status.inner_text(), status.inner_text, 15)
    device_page.get_by_role("button", name="Read its configuration").click()
    until(
        lambda: json.loads(device_page.get_by_label("Configuration").input_value())["health_s"] == 4, "the first's", 15
    )


def outcomes(plant, what):
    with urllib.request.urlopen(f"{plant.window.url}api/audit") as answer:
        return [line["detail"] for line in json.load(answer)["lines"] if line["what"] == what]


@contextlib.contextmanager
def sent_commands(plant):
    """Commands to the device that come to the broker meanwhile."""
    sent = []
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.on_message = lambda client, data, message: sent.append(message.payload)
    subscribed = threading.Event()
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", plant.broker.port)
    client.subscribe(f"kittiwake/{DEVICE}/cmd", 1)
    client.loop_start()
    assert subscribed.wait(10)
    yield sent
    client.disconnect()
    client.loop_stop()


def test_command_that_is_answered_after_its_page_was_closed_is_written_down(browser, plant):
    before = len(outcomes(plant, "command identify"))
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(f"{plant.window.url}#/device/{DEVICE}")
        button = page.get_by_role("button", name="Identify")
        button.wait_for()
        plant.bridge.freeze()
        try:
            with sent_commands(plant) as sent:
                button.click()
                until(lambda: sent, "the command at the broker", 15)
            page.close()
            assert len(outcomes(plant, "command identify")) == before
        finally:
            plant.bridge.thaw()
    until(lambda: len(outcomes(plant, "command identify")) > before, "its outcome", 15)
    assert outcomes(plant, "command identify")[0] == "ok"


@pytest.mark.soak
def test_command_that_times_out_is_told_and_its_late_answer_is_written_down(device_page, plant):
    plant.bridge.freeze()
    try:
        device_page.get_by_role("button", name="Identify").click()
        status = device_page.locator("[role=status]")
        until(lambda: "no answer within 12 s" in status.inner_text(), status.inner_text, 20)
    finally:
        plant.bridge.thaw()
    until(lambda: outcomes(plant, "late answer identify") == ["ok"], "the late answer", 20)


def keep(section, page, tags, is_away, answer="Kept."):
    section.get_by_label("Groups").fill(tags)
    section.get_by_label("Put away").set_checked(is_away)
    section.get_by_role("button", name="Keep").click()
    status = section.locator("[role=status]")
    until(lambda: status.inner_text().startswith(answer), status.inner_text, 5)


def test_device_is_put_into_groups_that_the_fleet_shares_and_away(device_page, page, plant):
    keep(device_page, page, "hall <b>2</b>", False, "'hall' is no tag. GROUP=VALUE")
    keep(device_page, page, "hall=2 line=a", True)
    with FleetStore(plant.folder / "fleet.sqlite") as store:
        assert store.tags() == {DEVICE: {"hall": "2", "line": "a"}}
        store.put("press-2", {"hall": "10"})  # as `kittiwake fleet tag` does
    page.goto(plant.window.url)
    until(lambda: page.locator("tr[data-device='press-2']").count() == 1, "the others", 10)
    assert page.locator(f"tr[data-device='{DEVICE}']").count() == 0
    page.get_by_label("Show what was put away").check()
    row = page.locator(f"tr[data-device='{DEVICE}']")
    until(lambda: row.count() == 1 and "hall=2 line=a" in row.inner_text(), "it and its groups", 5)
    until(lambda: "hall=10" in page.inner_text("tr[data-device='press-2']"), "what another program wrote", 5)
    page.get_by_label("Group by").select_option("hall")
    heads = page.locator("tr.group")
    assert [text.split(":")[0] for text in heads.all_inner_texts()] == ["hall 2", "hall 10"]
    page.get_by_label("Group by").select_option("line")
    assert [text.split(":")[0] for text in heads.all_inner_texts()] == ["line a", "without line"]
    page.get_by_label("Filter").fill("hall=10")
    assert page.locator("tbody tr[data-device]").all_inner_texts()[0].startswith("press-2")
    assert accessibility_faults(page) == []
    picture(page, "groups")
    page.evaluate("location.hash = '#/device/press-1'")
    section = page.locator("section.commands")
    assert section.get_by_label("Groups").input_value() == "hall=2 line=a"
    keep(section, page, "", False)
    with FleetStore(plant.folder / "fleet.sqlite") as store:
        assert store.tags() == {"press-2": {"hall": "10"}}
        store.put("press-2", {})
