"""What a fleet sends and costs: bytes counted anew here, prices worked out by hand, a bridge's figures read twice."""

import json
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from kittiwake.cost import running, traffic
from kittiwake.cost.prices import MONTH_S, Prices, month
from kittiwake.cost.traffic import Traffic
from kittiwake.errors import KittiwakeError, UsageError

ROOT = Path(__file__).resolve().parents[2]


def packet(topic, text, qos=1):
    """Bytes of a PUBLISH, by MQTT 3.1.1, sections 2.2 and 3.3."""
    remaining = 2 + len(topic) + (2 if qos else 0) + len(text)
    return 1 + (1 if remaining < 128 else 2 if remaining < 16384 else 3) + remaining


def test_every_sample_is_the_guides_message():
    samples = [420, 1234, -5]
    texts = [
        json.dumps(
            {
                "sensor_id": "vib-001",
                "value": value,
                "unit": "mm/s",
                "ts": "2026-01-01T00:00:00.000000Z",
                "seq": seq,
            }
        )
        for seq, value in enumerate([4.2, 12.34, -0.05])
    ]
    sent = traffic.everything(samples, 1000)
    assert sent == Traffic(3, sum(packet("factory/line1/vibration", text) for text in texts), 0.003)


def test_condensed_traffic_has_a_summary_for_each_interval_and_an_alert_for_each_alert():
    samples = [400 + n % 7 for n in range(1000)]
    quiet = traffic.condensed(samples, [], 100, 2.5, 0, 20)
    assert (quiet.messages, quiet.seconds) == (4, 10)
    loud = traffic.condensed(samples, [300, 700], 100, 2.5, 0, 20)
    assert loud.messages == 6 and 2 * 200 < loud.sent_bytes - quiet.sent_bytes < 2 * 600


def test_samples_around_alerts_are_sent_once():
    samples = [400] * 1000
    none = traffic.condensed(samples, [300, 310, 700], 100, 10, 0, 20)
    around = traffic.condensed(samples, [300, 310, 700], 100, 10, 240, 20)
    # 240 samples are two parts; what surrounds 300 has 310 in it.
    assert around.messages - none.messages == 4
    # Each sample is "400, " in the message, or "400" at the end of a part.
    assert around.sent_bytes - none.sent_bytes > 2 * 240 * 4


def test_month_costs_what_anyone_works_out():
    prices = Prices(
        currency="EUR", gib_sent=2.0, million_messages=3.0, gib_month=0.5, kept_months=4, gateway=360, gateway_months=36
    )
    # A message of 1 KiB a second, ten sensors.
    got = month(Traffic(1, 1024, 1.0), 10, prices, has_gateway=True)
    assert got.messages == 10 * MONTH_S == 25_920_000
    assert got.sent_gib == pytest.approx(25_920_000 / (1 << 20)) and got.stored_gib == pytest.approx(4 * got.sent_gib)
    assert (got.sent, got.handled) == pytest.approx((2 * got.sent_gib, 3 * 25.92))
    assert (got.stored, got.gateway) == pytest.approx((2 * got.sent_gib, 10))
    assert got.total == pytest.approx(4 * got.sent_gib + 77.76 + 10)
    assert month(Traffic(1, 1024, 1.0), 10, prices, has_gateway=False).gateway == 0


def page(samples, sent, messages):
    return "".join(
        f"# TYPE kittiwake_device_{name} counter\n"
        + "".join(f'kittiwake_device_{name}_total{{device="{n}"}} {value}\n' for n, value in enumerate(values))
        for name, values in (("samples", samples), ("published_bytes", sent), ("records_published", messages))
    )


def measured(*pages):
    waiting, waited = list(pages), []
    got = running.measure("http://x", 60, lambda url: waiting.pop(0), waited.append)
    assert waited == [60]
    return got


def test_running_bridge_is_what_came_between_two_readings_of_all_its_devices():
    got = measured(page([100, 50], [1000, 500], [10, 5]), page([700, 150], [1900, 700], [13, 6]))
    assert (got.samples, got.traffic) == (700, Traffic(4, 1100, 60))


@pytest.mark.parametrize(
    ("second", "mend"),
    [(page([100], [2000], [20]), "measure for longer"), (page([99], [2000], [20]), "measure again")],
)
def test_running_bridge_whose_figures_say_nothing_is_told_with_the_mend(second, mend):
    with pytest.raises(UsageError) as caught:
        measured(page([100], [1000], [10]), second)
    assert mend in caught.value.mend


@pytest.mark.parametrize("url", ["file:///etc/passwd", "here", "ftp://x/metrics"])
def test_page_of_another_kind_is_refused(url):
    with pytest.raises(UsageError):
        running.fetch_text(url)


def test_page_that_is_no_exposition_is_refused():
    with pytest.raises(KittiwakeError):
        running.measure("http://x", 1, lambda url: "<html>{", lambda seconds: None)


def run(*arguments):
    command = [sys.executable, "-m", "kittiwake", "cost", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=100)


def test_command_gives_the_guides_case_and_saves_what_the_guide_promises():
    done = run("--prices", "examples/cost/prices.toml", "--json")
    assert done.returncode == 0, done.stderr
    every, condensed, around = json.loads(done.stdout)
    # 100 sensors at 1 kHz for 30 days; the guide promises 95 % less.
    assert every["messages"] == pytest.approx(100 * 1000 * 30 * 86400)
    assert 0.95 < around["less"] < condensed["less"] < 1
    price = tomllib.loads((ROOT / "examples/cost/prices.toml").read_text())["gib_sent"]
    assert every["sent"] == pytest.approx(every["sent_gib"] * price)


def test_command_with_a_price_that_cannot_be_exits_with_2(tmp_path):
    (tmp_path / "p.toml").write_text("gib_sent = -1.0\n")
    done = run("--prices", str(tmp_path / "p.toml"))
    assert done.returncode == 2 and "line 1: gib_sent" in done.stderr
