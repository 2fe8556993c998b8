"""Bounds drawn are those the detector tests, windows land on their samples, pictures are what they say."""

import json
import math
import random
from fractions import Fraction

import pytest

from kittiwake.errors import ConfigError, KittiwakeError, UsageError
from kittiwake.plot import bands, phases, picture, windows
from kittiwake.reference import baseline, drift, novelty, zscore


def signal():
    rng = random.Random(9)
    quiet = [round(rng.gauss(500, 20)) for _ in range(900)]
    return [x + 300 * (i in (300, 500)) + 200 * (i > 600) for i, x in enumerate(quiet)]


def outside(drawn):
    triples = zip(drawn.watched, drawn.low, drawn.high, strict=True)
    return [i for i, (x, low, high) in enumerate(triples) if x < low or x > high]


def test_bands_of_a_zscore_leave_out_exactly_the_alarms():
    samples = signal()
    drawn = bands.bands(samples, {"kind": "zscore", "n": 20, "t": "5/2"})
    assert outside(drawn) == [a.index for a in zscore.alerts(samples, 20, Fraction(5, 2))]
    assert all(math.isnan(low) for low in drawn.low[:19])


@pytest.mark.parametrize(("kind", "alarms"), [("drift", drift.detections), ("novelty", novelty.alarms)])
def test_bands_of_levels_have_every_alarm_outside(kind, alarms):
    samples = signal()
    drawn = bands.bands(samples, {"kind": kind})
    seen = list(alarms(samples))
    assert seen
    assert set(seen) <= set(outside(drawn))
    assert len(drawn.watched) == len(drawn.low) == len(samples)


def test_bands_of_a_lagged_zscore_leave_out_exactly_the_alarms():
    samples = signal()
    drawn = bands.bands(samples, {"kind": "zscore", "n": 20, "t": "4", "lagged": True})
    assert outside(drawn) == [a.index for a in zscore.lagged_alerts(samples, 20, Fraction(4))]
    assert outside(drawn)


def test_bands_of_a_baseline_leave_out_exactly_the_anomalous_blocks():
    rng = random.Random(11)
    samples = [round(rng.gauss(0, 30 if i < 4000 else 60)) for i in range(6050)]
    drawn = bands.bands(samples, {"kind": "baseline", "block": 100, "learn": 20, "t": "5"})
    anomalous = [index for index, _ in baseline.anomalies(samples, 100, 20, Fraction(5))]
    assert len(anomalous) >= 15
    assert sorted({i // 100 for i in outside(drawn)}) == [index // 100 for index in anomalous]
    assert len(drawn.watched) == len(samples)


@pytest.mark.parametrize("settings", [{"kind": "baseline", "features": ["range"]}, {"kind": "magic"}])
def test_bands_that_no_panel_can_show_are_refused(settings):
    with pytest.raises(UsageError):
        bands.bands([1], settings)


def test_picture_of_a_baseline_has_a_second_panel_and_names_the_windows(tmp_path):
    samples = [(-1) ** i * (10 + 30 * (i > 800)) for i in range(1000)]
    drawn = bands.bands(samples, {"kind": "baseline", "block": 50, "learn": 5})
    path = tmp_path / "baseline.svg"
    picture.draw(path, "t", samples, [849], drawn, [(100, 200)], ["quiet"])
    text = path.read_text()
    assert text.count('<g id="axes_') == 2
    assert "quiet" in text


def test_windows_by_number_by_time_and_by_file_name(tmp_path):
    path = tmp_path / "labels.json"
    series = tmp_path / "plant" / "pump.csv"
    times = [f"2024-01-01 00:{i:02d}:00" for i in range(10)]
    path.write_text(json.dumps([[2, 4]]))
    assert windows.read_windows(path, series, None, 10) == [(2, 4)]
    path.write_text(json.dumps({"plant/pump.csv": [["2024-01-01 00:03:00", "2024-01-01 00:05:30.000000"]]}))
    assert windows.read_windows(path, series, times, 10) == [(3, 6)]
    path.write_text(json.dumps([["2024-01-01 00:03:00", "2025-01-01 00:00:00"]]))
    assert windows.read_windows(path, series, times, 10) == [(3, 9)]


@pytest.mark.parametrize(
    ("text", "times", "error"),
    [
        ("nonsense", None, ConfigError),
        ("[[1]]", None, ConfigError),
        ("5", None, ConfigError),
        ('{"other.csv": []}', None, UsageError),
        ('[["2024-01-01", "2024-01-02"]]', None, ConfigError),
        ('[["soon", "later"]]', ["2024-01-01"], ConfigError),
    ],
)
def test_windows_that_cannot_be_read_are_refused(tmp_path, text, times, error):
    path = tmp_path / "labels.json"
    path.write_text(text)
    with pytest.raises(error):
        windows.read_windows(path, tmp_path / "pump.csv", times, 10)


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".html", b"<!DOCTYPE html>")])
def test_picture_is_of_the_kind_its_name_says(tmp_path, suffix, start):
    samples = signal()
    path = tmp_path / f"p{suffix}"
    drawn = bands.bands(samples, {"kind": "drift"})
    picture.draw(path, "a <title>", samples, [300], drawn, [(290, 310)])
    content = path.read_bytes()
    assert content.startswith(start)
    assert len(content) > 5000
    if suffix == ".svg":
        picture.draw(path, "a <title>", samples, [300], drawn, [(290, 310)])
        assert path.read_bytes() == content


@pytest.mark.parametrize("name", ["p.gif", "p", "none/p.png"])
def test_picture_with_a_name_that_cannot_be_is_refused_first(tmp_path, name):
    with pytest.raises(KittiwakeError):
        picture.check_output(tmp_path / name)


def test_phases_are_counted_after_each_change():
    changes = [
        (10, "a", "offered"),
        (10, "b", "offered"),
        (20, "a", "passed"),
        (30, "b", "failed"),
        (40, "b", "offered"),
    ]
    times, counts = phases.counts(3, changes, "waiting", 50)
    assert times == [10, 20, 30, 40, 50]
    assert counts == {
        "waiting": [1] * 5,
        "offered": [2, 1, 0, 1, 1],
        "passed": [0, 1, 1, 1, 1],
        "failed": [0, 0, 1, 0, 0],
    }


def test_picture_of_phases_shows_what_was_decided(tmp_path):
    path = tmp_path / "r.svg"
    colours = {"waiting": "#d9dee2", "passed": "#2b5670"}
    phases.draw(
        path, "a roll-out", [0, 60_000], {"waiting": [2, 1], "passed": [0, 1]}, colours, [(30_000, "halted: x")]
    )
    text = path.read_text()
    shown = ("a roll-out", "halted: x", "boards", "seconds", "passed")
    assert [words for words in shown if f"<!-- {words} -->" not in text] == []
