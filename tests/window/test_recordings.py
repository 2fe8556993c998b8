"""The page of a recording: a file that is brought, the firmware's detectors over it, and the settings to take away."""

import tomllib
import wave
from array import array

import pytest

from kittiwake.runs import detect
from kittiwake.signals import vibration
from kittiwake.target import open_target
from tests.support.waiting import until
from tests.window.conftest import accessibility_faults, picture
from tests.window.plant import LEVEL_HZ

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180)]

RATE_HZ = 100
SAMPLES = vibration.samples(60 * RATE_HZ, RATE_HZ, anomalies_per_s=0.2, seed=5)


@pytest.fixture(scope="module")
def page(plant, browser):
    opened = browser.new_page()
    problems = []
    opened.on("pageerror", lambda error: problems.append(str(error)))
    opened.on("console", lambda line: problems.append(line.text) if "Security Policy" in line.text else None)
    opened.goto(f"{plant.window.url}#/recordings")
    opened.get_by_label("CSV or WAV file").wait_for()
    yield opened
    assert problems == []


def status(page):
    return page.inner_text("main > [role=status]")


def bring(page, name, content):
    page.get_by_label("CSV or WAV file").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": content}
    )
    page.get_by_role("button", name="Run the detectors").click()


def test_recording_is_run_through_every_detector_with_alerts_a_day_and_settings(page):
    content = "raw\n" + "".join(f"{x}\n" for x in SAMPLES)
    bring(page, "<b>pump</b>.csv", content.encode())
    until(lambda: f"{len(SAMPLES)} samples, 100 a second" in status(page), lambda: status(page), 60)
    rows = [row.locator("td").all_inner_texts() for row in page.locator("main tbody tr").all()]
    assert [row[0] for row in rows] == ["zscore", "drift", "novelty", "baseline"]
    with open_target("unix") as board:
        count = len(list(detect.alerts(board, SAMPLES, {"kind": "zscore", "n": 256, "t": "11/2"}, kernel="plain")))
    assert count > 0 and rows[0][1] == str(count)
    assert float(rows[0][2]) == pytest.approx(count * 86400 / 60, abs=0.1)  # a minute was recorded
    with page.expect_download() as download:
        page.get_by_role("link", name="TOML").click()
    settings = tomllib.loads(download.value.path().read_text())["channels"]["detectors"]
    assert settings[0] == {"kind": "zscore", "n": 256, "t": "11/2"} and len(settings) == 4
    assert page.locator("main b").count() == 0
    page.locator("figure canvas").wait_for()
    assert accessibility_faults(page) == []
    picture(page, "recording")


def test_recording_of_wav_has_its_own_rate(page, tmp_path):
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(SAMPLES.tobytes())
    bring(page, "A.WAV", (tmp_path / "a.wav").read_bytes())
    until(lambda: f"{len(SAMPLES)} samples, 8000 a second" in status(page), lambda: status(page), 60)


@pytest.mark.parametrize(
    "name, content, why",
    [
        ("a.csv", b"raw\n1\nx\n", "line 3"),
        ("a.csv", b"a,b\n1,2\n", "2 columns"),
        ("a.csv", b"raw\n1\n<img src=x>\n", "'<img src=x>' is no number"),
        ("a.wav", b"RIFF no", "no WAV file"),
        ("../../etc/passwd", b"\xff\xfe\x00", "not a CSV file"),
    ],
)
def test_recording_that_is_none_is_refused_with_why(page, name, content, why):
    bring(page, name, content)
    until(lambda: why in status(page), lambda: status(page), 30)
    assert "/tmp" not in status(page) and "passwd" not in status(page)
    assert page.locator("img").count() == 0


def recorded(page, plant):
    """The file that a recording became, which is a run of what the board had to sample."""
    with page.expect_download() as download:
        page.get_by_role("link", name="samples away").click()
    assert download.value.suggested_filename == "press-2-level.csv"
    head, *lines = download.value.path().read_text().split()
    samples, made = array("h", map(int, lines)), array("h", (plant.folder / "press-2-level.i16").read_bytes())
    assert head == "raw" and samples.tobytes() in made.tobytes()
    return samples


def test_recording_is_made_from_a_device_sample_for_sample_and_judged(page, plant):
    section = page.locator("section.recorder")
    told = section.locator("[role=status]")
    until(lambda: section.get_by_label("Device").locator("option").count() == 2, "the devices", 10)
    section.get_by_label("Device").select_option("press-2")
    until(lambda: "level" in section.get_by_label("Channel").inner_text(), "its channels", 30)
    section.get_by_label("Channel").select_option("level")
    section.get_by_label("Seconds").fill("2")
    section.get_by_role("button", name="Record").click()
    until(lambda: "without a gap" in told.inner_text(), told.inner_text, 30)
    assert len(recorded(page, plant)) == 2 * LEVEL_HZ + 1 and f"{LEVEL_HZ} a second" in told.inner_text()
    page.get_by_role("button", name="Run the detectors").click()
    until(
        lambda: f"press-2-level.csv: {2 * LEVEL_HZ + 1} samples, 8 a second" in status(page), lambda: status(page), 60
    )
    section.get_by_label("Seconds").fill("3600")
    section.get_by_role("button", name="from the history").click()
    until(lambda: "without a gap" in told.inner_text(), told.inner_text, 30)
    assert len(recorded(page, plant)) > 2 * LEVEL_HZ + 1
    section.get_by_label("Channel").select_option("vibration")
    section.get_by_role("button", name="from the history").click()
    until(lambda: "readings = true" in told.inner_text(), told.inner_text, 30)
    assert accessibility_faults(page) == []
