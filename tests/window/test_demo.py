"""As a new user would: from the demo's start to an alert's waveform, in clicks and seconds."""

import re
import signal
import subprocess
import sys
import time

import pytest

from tests.support.processes import dying_with_us
from tests.support.waiting import until

# Soak, since its bound is of seconds, which a busy machine does not keep.
pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(180), pytest.mark.soak]

SECONDS = 30


def test_from_the_start_of_the_demo_to_an_alerts_waveform_it_takes_two_clicks(browser, tmp_path):
    began_s = time.monotonic()
    with open(tmp_path / "demo.log", "wb") as log:
        command = dying_with_us([sys.executable, "-m", "kittiwake", "demo", "--seconds", "120"])
        demo = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=tmp_path)
    try:
        text = (tmp_path / "demo.log").read_text
        url = until(lambda: re.search(r"in a browser: (http://\S+)", text()), text, 60, 0.1)[1]
        with browser.new_context() as context:
            page = context.new_page()
            page.set_default_timeout(30_000)
            page.goto(url)
            page.locator("table.devices a").click()
            page.get_by_role("button", name="Show its samples").first.click()
            page.locator("section.samples canvas").nth(1).wait_for()
            told = page.inner_text("section.samples [role=status]")
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
    took_s = time.monotonic() - began_s
    # Who is quick sees it before two summaries have told the rate, and the page says so.
    assert re.match(r"\d+ samples( at \d+|; the rate is known)", told), told
    assert took_s < SECONDS, took_s
