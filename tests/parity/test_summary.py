"""Summaries by every kernel of the unix port against the reference, over calls and carries."""

import base64
import random
from array import array
from fractions import Fraction

import pytest

from kittiwake.reference.summary import summary as reference
from tests.parity import signals

PROGRAM = """
from array import array
from binascii import a2b_base64
from kittiwake_node import kernels
from kittiwake_node.detect.summary import Summary

def parity_start(kernel, bits):
    global s, typecode
    typecode = "h" if bits <= 16 else "i"
    s = Summary(kernels.load(kernel), bits)

def parity_feed(text, cuts):
    buf = array(typecode, a2b_base64(text))
    at = 0
    for cut in cuts:
        s.feed(buf, at, cut)
        at = cut
    s.feed(buf, at, len(buf))
    print(s.count, s.min, s.max, s.sum, s.sum_sq)
"""


def feed(board, samples, bits=16):
    text = base64.b64encode(array("h" if bits <= 16 else "i", samples).tobytes()).decode()
    cuts = sorted(random.Random(1).randint(0, len(samples)) for _ in range(5))
    return board.exec(f"parity_feed({text!r}, {cuts})").strip()


def run(board, kernel, samples, bits=16):
    board.exec(PROGRAM + f"parity_start({kernel!r}, {bits})")
    return feed(board, samples, bits)


def expected(samples):
    return " ".join(str(value) for value in vars(reference(samples)).values())


@pytest.mark.parametrize("kernel", ["plain", "viper"])
def test_summary_of_all_signals_equals_reference(unix, kernel):
    series = [samples for samples in signals.adversarial(20, Fraction(5, 2)).values() if samples]
    series += [[-32768] * 70_000, [32767] * 70_000, signals.mixed(100_000, seed=8)]
    assert len(series) > 20
    for samples in series:
        assert run(unix, kernel, samples) == expected(samples)


@pytest.mark.parametrize("kernel", ["plain", "viper"])
def test_summary_of_24_bit_signals_equals_reference(unix, kernel):
    low, high = -(1 << 23), (1 << 23) - 1
    series = [samples for samples in signals.adversarial(20, Fraction(5, 2), 1, low, high).values() if samples]
    series += [[low] * 40_000, [high] * 40_000, [-1] * 40_000, signals.mixed(50_000, 8, low, high)]
    for samples in series:
        assert run(unix, kernel, samples, 24) == expected(samples)


def test_summary_parity_with_a_mutated_state_fails(unix):
    samples = signals.mixed(1000, seed=2)
    assert run(unix, "viper", samples) == expected(samples)
    unix.exec("s.reset(); s._state[6] += 1")
    assert feed(unix, samples) != expected(samples)
