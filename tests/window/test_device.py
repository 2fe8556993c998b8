"""A device's page against real parts: live points, the threshold's band, an alert's samples, and the history behind."""

import math
import re
import urllib.parse

import pytest

from kittiwake.history import open_history
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import RATE_HZ

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

DEVICE = "press-1"


@pytest.fixture(scope="module")
def page(plant, browser):
    opened = browser.new_page(viewport={"width": 1200, "height": 820})
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.goto(f"{plant.window.url}#/device/{DEVICE}")
    until(lambda: opened.locator("ul.alerts li").count() > 0, lambda: opened.inner_text("main"), 30, 0.1)
    yield opened
    assert problems == []


def test_device_shows_points_band_and_alerts_live(page):
    until(lambda: page.locator("figure.main canvas").count() == 1, "a plot", 10)
    # The detector's threshold, 11/2; it comes with the first alert.
    until(lambda: "5.5 deviations" in page.inner_text("main"), lambda: page.inner_text("main"), 20)
    until(lambda: "online" in page.inner_text(".state"), lambda: page.inner_text(".state"), 10)
    picture(page, "device")
    drawn = page.evaluate("document.querySelector('figure.main canvas').width")
    assert drawn > 300
    told = page.inner_text("ul.alerts li >> nth=0")
    facts = page.locator("dl.facts")
    until(
        lambda: re.search(r"sensor vib-001, \d+\.\d samples a second, 1/100 mm/s an LSB", facts.inner_text()),
        "it",
        10,
    )
    assert re.search(r"\d\d:\d\d:\d\d vibration [\d.]+ mm/s by zscore, z \d", told)


def test_device_gets_a_record_within_half_a_second_of_its_making(page, plant):
    page.evaluate(
        "() => { window.late = []; const s = new EventSource('/api/live?device=press-1');"
        "s.addEventListener('record', (e) => { const t = Date.parse(JSON.parse(e.data).ts);"
        "window.late.push(Date.now() - t); }); window.source = s; }"
    )
    until(lambda: page.evaluate("window.late.length") >= 5, "records", 20, 0.1)
    page.evaluate("window.source.close()")
    late = sorted(page.evaluate("window.late"))
    # Of these, up to 100 ms are the board's, until its commit.
    assert late[len(late) // 2] < 500


def test_device_shows_the_samples_around_an_alert_and_their_spectrum(page, plant):
    # Not the newest: what follows it may be sampled still.
    until(lambda: page.locator("ul.alerts li").count() >= 2, "two alerts", 20, 0.1)
    page.locator("ul.alerts li >> nth=-1").get_by_role("button").click()
    status = page.locator("section.samples [role=status]")
    until(lambda: "samples at" in status.inner_text(), lambda: page.inner_text("section.samples"), 10)
    told = re.search(r"(\d+) samples at ([\d.]+) a second", status.inner_text())
    assert told and int(told[1]) >= 128 and float(told[2]) == pytest.approx(RATE_HZ, rel=0.02)
    until(lambda: page.locator("section.samples canvas").count() == 2, "waveform and spectrum", 10)
    picture(page, "samples")


def test_device_shows_a_spectrum_with_the_peak_where_the_tone_is(page):
    peak = page.evaluate(
        "async () => { const { spectrum } = await import('/page/signal.js');"
        "const n = 256; const x = Array.from({length: n}, (_, i) => 7 + 3 * Math.sin(2 * Math.PI * 20 * i / n));"
        "const { amplitudes } = spectrum(x); const top = amplitudes.indexOf(Math.max(...amplitudes));"
        "return [top, amplitudes[top], amplitudes[0]]; }"
    )
    assert peak[0] == 20 and peak[1] == pytest.approx(3, abs=1e-9) and peak[2] < 1e-9


def test_device_joins_a_snapshot_from_parts_that_came_in_any_order(page):
    runs = page.evaluate(
        "async () => { const { covering } = await import('/page/signal.js');"
        "const part = (index, n, boot = 1) => ({journal: 'j', boot, channel: 'c', index,"
        " samples_lsb: Array.from({length: n}, (_, i) => index + i)});"
        "const parts = [part(104, 4), part(100, 4), part(200, 4), part(104, 4, 2)];"
        "return [101, 107, 108, 203].map((index) => covering(parts, {journal: 'j', boot: 1, channel: 'c', index})); }"
    )
    assert runs[0] == runs[1] == {"start": 100, "samples": list(range(100, 108))}
    assert runs[2] is None and runs[3]["start"] == 200


def test_device_shows_a_span_of_the_history_with_its_exact_number_of_samples(page, plant):
    page.get_by_role("button", name="1 h", exact=True).click()
    caption = page.locator("main > [role=status]")

    def is_exact():
        told = re.search(r"exact sums of (\d+) samples, a point each 1 min", caption.inner_text())
        return told and int(told[1])

    shown = until(is_exact, caption.inner_text, 10)
    with open_history(plant.database) as history:
        buckets = history.summaries(DEVICE, "vibration")
    assert shown <= sum(bucket.sums.n for bucket in buckets) and shown % RATE_HZ == 0 and shown > 0
    page.get_by_role("button", name="closer").click()
    until(lambda: page.locator("button[aria-pressed=true]").count() == 0, "a span of its own", 5)
    page.get_by_role("button", name="live").click()
    until(lambda: "Each point is a summary" in caption.inner_text(), "live again", 5)


def test_device_zooms_and_pans_by_hand_over_the_history(page):
    caption = page.locator("main > [role=status]")
    page.get_by_role("button", name="1 d", exact=True).click()
    until(lambda: "exact sums" in caption.inner_text(), caption.inner_text, 10)
    box = page.locator("figure.main .u-over").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.evaluate(
        "() => { window.asked = []; const fetched = window.fetch; window.fetch = (url, ...rest) => {"
        " if (url.includes('/series')) window.asked.push(url); return fetched(url, ...rest); }; }"
    )

    def asked():
        urls = [urllib.parse.parse_qs(url.partition("?")[2]) for url in page.evaluate("window.asked")]
        return [(int(query["since"][0]), int(query["until"][0])) for query in urls]

    page.mouse.move(x, y)
    page.keyboard.down("Control")
    page.mouse.wheel(0, -200)
    page.keyboard.up("Control")
    until(lambda: len(asked()) == 1, "the closer span", 5)
    page.keyboard.down("Shift")
    page.mouse.down()
    page.mouse.move(x + 100, y, steps=4)
    page.mouse.up()
    page.keyboard.up("Shift")
    (since, until_ms) = asked()[0]
    width_ms = until_ms - since
    moved_ms = width_ms / 2 * 100 / box["width"]
    # Where the machine is slow, the plot comes to rest on the way as well.
    until(lambda: since - asked()[-1][0] == pytest.approx(moved_ms, rel=0.02), asked, 5)
    # Asked is as much again beside the span; two thirds' e-th of a day remain: 24 h * exp(-200 / 300).
    assert width_ms == pytest.approx(2 * 86_400_000 * math.exp(-200 / 300), rel=0.01)
    assert asked()[-1][1] - asked()[-1][0] == pytest.approx(width_ms, rel=0.001)
    page.get_by_role("button", name="live").click()


def test_device_is_accessible(page):
    assert accessibility_faults(page) == []


def test_device_shows_its_journal_by_numbers_with_what_lacks_and_back_to_the_first(page, plant):
    section = page.locator("section.journal")
    section.get_by_role("button", name="Look into its journal").click()
    rows = section.locator("tbody tr")

    def numbers():
        return [int(text) for text in rows.locator("td:first-child").all_inner_texts() if text.isdigit()]

    until(lambda: len(numbers()) > 20, lambda: section.inner_text(), 10)
    newest = numbers()[0]
    until(lambda: numbers()[0] > newest, "a record that came meanwhile", 10)
    shown = numbers()
    assert shown == list(range(shown[0], shown[-1] - 1, -1)) and section.locator("tr.gap").count() == 0
    rows.last.locator("summary").click()  # the newest move down
    assert f'"seq": {shown[-1]}' in rows.last.locator("pre").inner_text()
    section.get_by_label("Kind").select_option("health")
    assert "health" in rows.first.inner_text() and accessibility_faults(page) == []
    section.get_by_label("Kind").select_option("")
    while shown[-1]:
        last = shown[-1]
        section.get_by_role("button", name="older").click()
        until(lambda last=last: numbers() and numbers()[0] == last - 1, section.inner_text, 10)
        shown = numbers()
    assert "boot" in rows.last.inner_text() and section.get_by_role("button", name="older").is_disabled()
    if numbers()[0] < newest:  # not where one page, as of a young plant, holds all
        section.get_by_role("button", name="newest").click()
    until(lambda: numbers()[0] > newest, section.inner_text, 10)


def test_device_says_that_the_library_of_plots_is_not_there(browser, plant):
    """Without npm the build brings none. A style that is asked for in vain made axe try an inline one, and fail."""
    with browser.new_context() as context:
        page = context.new_page()
        complaints = []
        page.on("console", lambda line: complaints.append(line.text) if "Security Policy" in line.text else None)
        page.route("**/page/parts/*", lambda route: route.fulfill(status=404, content_type="text/plain", body="no"))
        page.goto(f"{plant.window.url}#/device/{DEVICE}")
        until(lambda: "did not come with this installation" in page.inner_text("main"), "why", 20)
        assert accessibility_faults(page) == [] and complaints == []


def test_device_whose_name_nobody_knows_says_so(page, plant):
    page.goto(f"{plant.window.url}#/device/%3Cimg%20src%3Dx%3E")
    until(lambda: "Nothing has been heard of this device" in page.inner_text("main"), "an empty state", 5)
    assert page.locator("main img").count() == 0 and page.inner_text("h1") == "<img src=x>"


def test_window_that_starts_again_knows_from_the_history_what_was(plant, page):
    """What no record has said since: firmware, alerts of the day, and when it was heard last."""
    plant.window.kill()
    plant.boards[DEVICE].cut_power()
    port = int(plant.window.url.rstrip("/").rpartition(":")[2])
    plant.window = plant.new_window(port)
    plant.window.start()
    page.goto(plant.window.url)
    row = page.locator(f"tr[data-device='{DEVICE}']")
    until(lambda: "kittiwake 0." in row.inner_text(), lambda: page.inner_text("main"), 10)
    assert int(row.locator(".sparks .number").inner_text()) >= 2
    until(lambda: "offline" in row.inner_text(), "off line", 10)
    plant.run_node(DEVICE)
