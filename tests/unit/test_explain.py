"""What `kittiwake explain` says: statistics against published figures and simulation, and refusals of the firmware."""

import json
import random
import subprocess
import sys

import pytest

from kittiwake.explain import detectors, sources
from kittiwake_node import config, config_sensor, config_source


@pytest.mark.parametrize(
    ("n", "t", "a_day_at_1khz"),
    # One false alarm a day at 1 kHz, and 6.35 in 1,000 samples at the guide's settings.
    [(20, 3.90, 1.0), (64, 5.05, 1.0), (256, 5.53, 1.0), (20, 2.5, 6.35 / 1000 * 86.4e6)],
)
def test_false_alarm_share_of_known_settings(n, t, a_day_at_1khz):
    assert detectors.false_alarm_share(n, t) * 86.4e6 == pytest.approx(a_day_at_1khz, rel=0.03)


@pytest.mark.parametrize("lagged", [False, True])
def test_false_alarm_share_agrees_with_simulated_noise(lagged):
    rng = random.Random(3)
    n, t, seen, count = 12, 2.0, 0, 60000
    for _ in range(count):
        window = [rng.gauss(0, 1) for _ in range(n)]
        x = rng.gauss(0, 1) if lagged else window[-1]
        mean = sum(window) / n
        stdev = (sum((v - mean) ** 2 for v in window) / (n - 1)) ** 0.5
        seen += abs(x - mean) > t * stdev
    share = detectors.lagged_false_alarm_share if lagged else detectors.false_alarm_share
    assert share(n, t) == pytest.approx(seen / count, rel=0.06)


def test_false_alarm_share_beyond_the_largest_z_is_nothing():
    assert detectors.false_alarm_share(20, detectors.largest_z(20)) == 0


def test_masked_z_of_one_two_and_three_outliers():
    assert [round(detectors.masked_z(20, k), 2) for k in (1, 2, 3)] == [4.25, 2.92, 2.32]


def run(path, *options):
    command = [sys.executable, "-m", "kittiwake", "explain", str(path), *options]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


CONFIG = """
device = "press-7"
[[channels]]
name = "vibration"
rate_hz = 1000
detectors = [{kind = "zscore", n = 20}, {kind = "novelty"}, {kind = "drift"}, {kind = "baseline"}]
"""


def test_explain_of_a_configuration_says_what_each_detector_does(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text(CONFIG)
    done = run(path, "--json")
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["device"] == "press-7"
    assert [one["detector"] for one in said["detectors"]] == ["zscore", "novelty", "drift", "baseline"]
    zscore = said["detectors"][0]
    assert zscore["settings"]["t"] == "5/2"
    assert zscore["facts"]["false_alarms_per_1000_samples_of_noise"] == pytest.approx(6.35, abs=0.01)
    assert zscore["facts"]["largest_z"] == 4.249
    assert zscore["facts"]["outliers_that_hide_each_other"] == 3
    baseline = said["detectors"][3]["facts"]
    assert (baseline["block_s"], baseline["learns_for_s"]) == (0.256, 51.2)
    text = run(path).stdout
    assert "channel vibration: zscore (floor = 1, lagged = False, n = 20, t = 5/2)" in text
    assert "channel vibration: baseline (" in text
    assert "not vibration" in text


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("nonsense =", "no TOML"),
        ('[[channels]]\ndetectors = [{kind = "zscore", n = 8, t = "5/2"}]', "unreachable"),
        ('[[channels]]\ndetectors = [{kind = "magic"}]', "magic"),
        ("[[channels]]\nreadings = true\nrate_hz = 1000", "50 Hz"),
        ("[[channels]]\nrate = 5", "rate"),
        ('device = "a b"\n[[channels]]', "device"),
        ("", "channels"),
    ],
)
def test_explain_of_what_cannot_be_exits_2_with_the_firmwares_reason(tmp_path, text, said):
    path = tmp_path / "node.toml"
    path.write_text(text)
    done = run(path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert said in done.stderr


@pytest.mark.parametrize("kind", sorted(config_source.KINDS))
def test_explain_knows_every_kind_of_sensor_that_a_configuration_may_have(kind):
    pins = {"pin": 1, "sck": 1, "ws": 2, "sd": 3}
    known = config_sensor.DEFAULTS.get(kind, {})
    source = {"kind": kind, **{name: value for name, value in pins.items() if name in known}}
    if kind == "replay":
        source["path"] = "x.raw"
    if kind == "timer":
        source["sensor"] = {"kind": "wave", "path": "x.raw"}
    (channel,) = config.check({"channels": [{"source": source, "rate_hz": 100 if kind != "i2s" else 16000}]})[
        "channels"
    ]
    explanation = sources.explain_source(channel)
    assert (explanation is not None) == (config_source.KINDS[kind][1] is None)
