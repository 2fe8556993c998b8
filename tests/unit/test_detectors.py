"""Every kind of detector by its configuration, and what it tells of an anomaly, against the references."""

from array import array

import pytest

from kittiwake.reference import drift, novelty
from kittiwake_node import kernels
from kittiwake_node.config import DETECTOR_DEFAULTS, check
from kittiwake_node.detect import kinds
from kittiwake_node.errors import ConfigError, FrameError
from kittiwake_node.link import anomaly


def make(**settings):
    config = check({"channels": [{"detectors": [settings]}]})["channels"][0]["detectors"][0]
    return kinds.make(kernels.load("plain"), config, 16)


def step():
    # Level 100 with a ripple of 1, then 130: drift and novelty both see it.
    return array("h", [100 + i % 2 for i in range(400)] + [130 + i % 2 for i in range(200)])


@pytest.mark.parametrize(
    ("kind", "reference", "number"),
    [("drift", drift.detections, anomaly.DRIFT), ("novelty", novelty.alarms, anomaly.NOVELTY)],
)
def test_detectors_of_levels_flag_the_references_samples_and_tell_of_them(kind, reference, number):
    samples = step()
    detector = make(kind=kind)
    seen, at = [], 0
    while at < len(samples):
        at = detector.find(samples, at, len(samples))
        if at < len(samples):
            told = anomaly.unpack_anomaly(detector.tell(samples[at], 0, at))
            assert (told["detector"], told["x"], told["index"]) == (number, samples[at], at)
            assert told["fast"] > told["slow"]
            seen.append(at)
            at += 1
    assert seen
    assert seen == list(reference(samples))


def test_detectors_zscore_tells_the_sums_of_its_window():
    samples = array("h", [1] * 19 + [100])
    detector = make(kind="zscore", n=20)
    assert detector.find(samples, 0, 20) == 19
    told = anomaly.unpack_anomaly(detector.tell(100, anomaly.CLIPPED, 19))
    assert (told["sum"], told["sum_sq"], told["min"], told["max"]) == (119, 10019, 1, 100)
    assert (told["p"], told["q"], told["flags"]) == (5, 2, anomaly.CLIPPED)


@pytest.mark.parametrize("kind", sorted(DETECTOR_DEFAULTS))
def test_detectors_defaults_of_every_kind_can_be_built(kind):
    assert make(kind=kind).find(array("h", [0]), 0, 1) == 1


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"kind": "magic"}, "magic"),
        ({"kind": "zscore", "n": 8, "t": "5/2"}, "unreachable"),
        ({"kind": "zscore", "t": "a lot"}, "a lot"),
        ({"kind": "zscore", "sensitivity": 1}, "sensitivity"),
        ({"kind": "drift", "fast": 9}, "fast"),
        ({"kind": "novelty", "patience": -1}, "patience"),
        ({"kind": "novelty", "patience": "much"}, "patience"),
    ],
)
def test_detectors_settings_that_cannot_be_are_refused_with_the_reason(settings, said):
    with pytest.raises(ConfigError) as caught:
        make(**settings)
    assert said in str(caught.value)


def test_payload_of_a_detector_nobody_knows_is_refused():
    with pytest.raises(FrameError):
        anomaly.unpack_anomaly(bytes([99]) + bytes(60))


def test_payload_of_levels_survives_the_round_trip_at_its_extremes():
    raw = anomaly.pack_levels(anomaly.DRIFT, 1, -32768, -(1 << 31), (1 << 31) - 1, (1 << 48) - 1, (1 << 48) - 1, 3, 2)
    assert anomaly.unpack_anomaly(raw) == {
        "detector": anomaly.DRIFT,
        "flags": 1,
        "x": -32768,
        "fast": -(1 << 31),
        "slow": (1 << 31) - 1,
        "variance": (1 << 48) - 1,
        "index": (1 << 48) - 1,
        "p": 3,
        "q": 2,
    }
