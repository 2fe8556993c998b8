"""An hour of two hundred devices, in a real Chromium: how fast the window stays, and that nothing grows."""

import pytest

from tools.bench_window import measure
from tools.window_load import YEAR_MINUTES

pytestmark = [pytest.mark.needs("mosquitto", "chromium"), pytest.mark.timeout(3 * 3600), pytest.mark.soak]

HOUR_S = 3600
# What may be: a page's first view, shares of a core, a point's way to the plot, frames over a year.
FIRST_VIEW_MS, SERVER_PERCENT, PAGE_PERCENT, POINT_P95_MS, FRAMES_A_SECOND = 1000, 15, 30, 150, 30
# Some bytes a record, of the 600,000 that come in that time, would be more.
GROWTH_MB = 2.0


def test_window_keeps_its_pace_and_its_memory_over_an_hour_of_two_hundred_devices(tmp_path):
    figures = measure(tmp_path, HOUR_S, YEAR_MINUTES)
    assert figures["devices"] == figures["records_a_second"] == 200 and figures["points"] > 20
    assert max(figures["first_view_ms"]) < FIRST_VIEW_MS, figures
    assert figures["server_percent"] < SERVER_PERCENT and figures["page_percent"] < PAGE_PERCENT, figures
    assert figures["point_p95_ms"] < POINT_P95_MS and figures["frames_a_second"] >= FRAMES_A_SECOND, figures
    assert figures["server_growth_mb"] < GROWTH_MB and figures["page_growth_mb"] < GROWTH_MB, figures
