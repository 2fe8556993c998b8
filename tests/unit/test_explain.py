"""What `kittiwake explain` says: statistics against published figures and simulation, and refusals of the firmware."""

import json
import random
import subprocess
import sys

import pytest

from kittiwake.explain import detectors, hearing, sources
from kittiwake.model import wake
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
source = {kind = "link"}
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


MICROPHONE = """
device = "hall-1"
[[channels]]
kind = "microphone"
name = "hall"
source = {kind = "i2s", sck = 4, ws = 5, sd = 6}
[channels.hear]
models = ["alexa.kwm", "later.kwm"]
refractory_ms = 1500
slice_us = 4000
"""


def test_explain_of_a_microphone_says_what_it_hears_and_what_it_keeps(tmp_path):
    pytest.importorskip("pymicro_wakeword")
    path = tmp_path / "node.toml"
    path.write_text(MICROPHONE + "audio = true\n")
    plan = wake.compile_word(wake.find("alexa"), "viper")
    (tmp_path / "alexa.kwm").write_bytes(plan)
    done = run(path, "--json")
    assert done.returncode == 0, done.stderr
    channel, word = json.loads(done.stdout)["hearing"]
    assert (channel["detector"], word["detector"]) == ("hearing", "word alexa")
    assert channel["facts"] == {
        "summary_each_s": 60,
        "frames_of_features_a_second": 100,
        "networks_work_for_ms_a_turn": 4,
        "silent_after_a_word_s": 1.5,
        "audio_kept_s": 1,
        "audio_heap_bytes": 32000,
        "audio_records_a_word": 36,
    }
    # The model's own file says a mean of five above 0.9; its network takes three frames.
    expected = {"output_each_ms": 30, "outputs_in_the_mean": 5, "mean_over_ms": 150, "mean_must_exceed": 0.9}
    assert {name: word["facts"][name] for name in expected} == pytest.approx(expected, abs=1 / 1280)
    assert word["facts"]["plan_bytes"] == len(plan)
    assert "runs by the kernels plain, viper, xtensa;" in word["notes"][0]
    text = run(path).stdout
    assert "channel hall: word alexa (model = alexa.kwm)" in text
    assert "less than 48384 bytes of heap" in text
    assert "later.kwm is not beside the configuration" in text


def test_explain_of_a_microphone_without_audio_says_that_no_sound_is_kept(tmp_path):
    path = tmp_path / "node.toml"
    path.write_text(MICROPHONE)
    (channel,) = json.loads(run(path, "--json").stdout)["hearing"]
    assert not [name for name in channel["facts"] if name.startswith("audio")]
    assert [note for note in channel["notes"] if note.startswith("audio = false: no sound is kept")]


def test_explain_of_a_microphone_without_words_says_that_it_measures_its_level():
    (channel,) = config.check({"channels": [{"kind": "microphone", "source": {"kind": "wav", "path": "x.wav"}}]})[
        "channels"
    ]
    (explanation,) = hearing.explain_hearing(channel, {})
    assert explanation.facts == {"summary_each_s": 60}
    assert explanation.notes == ["no word is named under models: the channel only measures its level"]


def test_explain_of_a_sensor_says_nothing_of_hearing():
    (channel,) = config.check({"channels": [{}]})["channels"]
    assert hearing.explain_hearing(channel, {}) == []


@pytest.mark.parametrize("content", [b"", b"KWMP", b"KWMP" + bytes(200)])
def test_explain_of_a_damaged_plan_exits_2_with_the_reason(tmp_path, content):
    path = tmp_path / "node.toml"
    path.write_text(MICROPHONE)
    (tmp_path / "alexa.kwm").write_bytes(content)
    done = run(path)
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "plan" in done.stderr
