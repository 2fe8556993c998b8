"""The audio front end: the reference against pymicro-features, and the firmware's definition against the reference.

Boards and kernels are held against the reference by the suite `frontend` of `kittiwake verify`.
"""

import os
import random
from array import array

import pytest

from kittiwake.reference import frontend as reference
from kittiwake.verify.suites.frontend import sound
from kittiwake_node import kernels
from kittiwake_node.speech import tables
from kittiwake_node.speech.frontend import Frontend

SOAK = os.environ.get("KITTIWAKE_SOAK") == "1"
MINUTES = 10 if SOAK else 1
SECONDS_A_PIECE = 5


def oracle(samples):
    """Features by pymicro-features, as its integers."""
    features = pytest.importorskip("pymicro_features", reason="no wheel of pymicro-features for this machine")
    made, found = features.MicroFrontend(), []
    raw = array("h", samples).tobytes()
    at = 0
    while at + 320 <= len(raw):
        taken = made.process_samples(raw[at : at + 320])
        at += 2 * taken.samples_read
        if taken.features:
            found.append([round(f * 25.6) for f in taken.features])
    return found


def firmware(samples, pieces):
    made, found = Frontend(kernels.load("plain")), []
    buf = array("h", samples)
    at, wanted = 0, 480
    while at < len(buf):
        stop = min(len(buf), at + next(pieces))
        while at < stop:
            after = made.feed(buf, at, stop)
            wanted -= after - at
            at = after
            if not wanted:
                found.append(list(made.features))
                wanted = 160
    return found


@pytest.mark.timeout(3600 if SOAK else 240)
def test_reference_over_minutes_of_audio_is_what_pymicro_features_gives():
    rng = random.Random(20)
    frames = 0
    for _ in range(MINUTES * 60 // SECONDS_A_PIECE):
        samples = sound(rng, SECONDS_A_PIECE * reference.RATE_HZ)
        expected = oracle(samples)
        assert reference.Frontend().feed(list(samples)) == expected
        frames += len(expected)
    assert frames >= MINUTES * 60 * 99


def test_reference_over_changing_audio_keeps_its_noise_estimate():
    rng = random.Random(21)
    samples = [x for _ in range(6) for x in sound(rng, 4000)]
    made = reference.Frontend()
    found = [f for at in range(0, len(samples), 777) for f in made.feed(samples[at : at + 777])]
    assert found == oracle(samples)
    made.reset()
    assert made.feed(samples[:960]) == oracle(samples[:960])


def test_tables_of_the_firmware_are_those_of_the_definition():
    first, widths, weights = reference.mel_table()
    assert list(array("H", tables.WINDOW)) == reference.window_table()
    assert list(array("h", tables.SINE)) == reference.sine_table()
    assert (tables.FIRST_BIN, list(tables.WIDTHS)) == (first, widths)
    assert list(array("H", tables.WEIGHTS)) == weights
    assert list(array("h", tables.GAINS)) == reference.gain_table()
    assert list(array("H", tables.LOGS)) == reference.log_table()


@pytest.mark.parametrize("size", [1, 7, 159, 160, 161, 480, 4096])
def test_definition_in_pieces_of_any_size_is_what_the_reference_gives(size):
    rng = random.Random(size)
    samples = sound(rng, 2400) + sound(rng, 800)
    expected = reference.Frontend().feed(list(samples))
    assert firmware(samples, iter(lambda: size, 0)) == expected
    assert len(expected) == 18


def test_definition_after_a_reset_is_as_new():
    samples = array("h", sound(random.Random(3), 1000))
    made = Frontend(kernels.load("plain"))
    for at in (0, 480, 640, 800, 960):
        made.feed(samples, at, min(1000, at + 480))
    made.reset()
    made.feed(samples, 0, 480)
    assert list(made.features) == reference.Frontend().feed(list(samples))[0]


def test_parity_with_one_weight_changed_is_found():
    samples = sound(random.Random(1), 1600)
    made = reference.Frontend()
    made._weights[100] += 64
    assert made.feed(list(samples)) != oracle(samples)
