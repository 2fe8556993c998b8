"""Words that a device has heard, on its page: the second of audio before each is played, or said not to be whole."""

import array
import io
import wave

import pytest
from paho.mqtt import publish

from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.history.records import DEVICE, EPOCH_MS, message
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import Window

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

SECOND, PART, START = 16000, 2000, 5000
AUDIO = array.array("h", [(37 * i) % 2000 - 1000 for i in range(SECOND)])


def records(first_seq, start, lacking=()):
    """Parts of a second of audio that begins at sample `start`, and the keyword after it."""
    parts = SECOND // PART
    for number in range(parts):
        if number not in lacking:
            samples = AUDIO[number * PART : (number + 1) * PART].tobytes()
            content = payload.pack_snapshot(number, parts, start + number * PART, samples)
            yield message(rec.SNAPSHOT, first_seq + number, content, 1000, epoch_ms=EPOCH_MS)
    word = payload.pack_keyword(payload.AUDIO, "<i>okay</i>", 5, 1200, 1000, start + SECOND)
    yield message(rec.KEYWORD, first_seq + parts, word, 1001, epoch_ms=EPOCH_MS)


def test_device_plays_what_it_heard_before_a_word_sample_for_sample(plant, browser, tmp_path):
    with Window(plant.broker.url, tmp_path, "--base", "talk") as window, browser.new_context() as context:
        page = context.new_page()
        problems = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda line: problems.append(line.text) if "Security Policy" in line.text else None)
        page.goto(f"{window.url}#/device/{DEVICE}")
        until(lambda: "Nothing has been heard" in page.inner_text("main"), "a page", 10)
        for topic, body in [*records(1, START), *records(20, START + SECOND, lacking={3})]:
            publish.single(topic.replace("kittiwake/", "talk/", 1), body, 1, False, "127.0.0.1", plant.broker.port)
        lines = page.locator(".keywords li")
        until(lambda: lines.count() == 2, lambda: page.inner_text("main"), 10)
        assert "<i>okay</i>, probability 0.9375" in lines.nth(1).inner_text() and page.locator("main i").count() == 0
        page.evaluate(
            "() => { const make = URL.createObjectURL;"
            " URL.createObjectURL = (blob) => { window.blob = blob; return make.call(URL, blob); }; }"
        )
        lines.nth(1).get_by_role("button").click()
        until(lambda: page.evaluate("document.querySelector('audio')?.duration ?? 0") == 1, "a second of sound", 10)
        content = page.evaluate("window.blob.arrayBuffer().then((buffer) => [...new Uint8Array(buffer)])")
        with wave.open(io.BytesIO(bytes(content))) as file:
            assert file.getparams()[:4] == (1, 2, SECOND, SECOND)
            assert file.readframes(SECOND) == AUDIO.tobytes()
        lines.nth(0).get_by_role("button").click()
        until(lambda: "not whole" in lines.nth(0).inner_text(), lambda: lines.nth(0).inner_text(), 10)
        assert accessibility_faults(page) == [] and problems == []
        picture(page, "keyword")
