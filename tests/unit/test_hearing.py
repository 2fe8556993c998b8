"""Hearing: words taking turns on one front end, in slices, with any mixture of strides."""

from array import array
from fractions import Fraction

import pytest

from kittiwake.reference import keyword as reference
from kittiwake_node import kernels
from kittiwake_node.speech.hearing import Hearing
from kittiwake_node.speech.keyword import Keyword

SCALE_BITS = 0x3DD0D0D1


class Note:
    flip = 0
    step_ms = 10
    zero = -128
    scale_bits = SCALE_BITS

    def __init__(self, name, stride=3, window=5, limit=1000):
        self.name, self.stride, self.window, self.limit = name, stride, window, limit


class Network:
    """Four layers; its output is the largest byte of its input."""

    class header:
        output_bytes = 1

    def __init__(self, busy):
        self._busy = busy
        self.inputs = []

    def reset(self):
        self._left = 0

    def begin(self, data):
        assert not self._busy, "two networks in one scratch"
        self._busy.append(self)
        self.inputs.append(bytes(data))
        self._left = 4

    def step(self):
        self._left -= 1
        return self._left

    def finish(self, result):
        assert self._busy.pop() is self
        result[0] = max(self.inputs[-1])


class Frontend:
    """A frame each 160 samples, from the 480th on: all 40 features are the last sample's value."""

    def __init__(self):
        self.features = array("H", [0] * 40)
        self.reset()

    def reset(self):
        self._until = 480

    def feed(self, buf, start, stop):
        at = min(stop, start + self._until)
        self._until -= at - start
        if not self._until:
            self._until = 160
            for i in range(40):
                self.features[i] = buf[at - 1]
        return at


def made(strides):
    busy = []
    words = [Keyword(Note(f"w{i}", stride), Network(busy), 0) for i, stride in enumerate(strides)]
    return Hearing(kernels.load("plain"), Frontend(), words)


def heard(hearing, samples, chunk):
    for start in range(0, len(samples), chunk):
        stop = min(len(samples), start + chunk)
        at = start
        while at < stop:
            at = hearing.feed(samples, at, stop)
            while hearing.pending:
                assert hearing.feed(samples, at, stop) == at
                hearing.step()
    return [word.model.inputs for word in hearing.words]


SAMPLES = array("h", [i * 7 % 671 for i in range(160 * 40)])


@pytest.mark.parametrize("chunk", [1, 7, 160, 479, 481, 4096])
def test_chunks_of_any_size_give_the_same_inputs(chunk):
    assert heard(made([3, 1, 2, 3]), SAMPLES, chunk) == heard(made([3, 1, 2, 3]), SAMPLES, len(SAMPLES))


def test_every_word_gets_all_frames_in_order_by_its_own_stride():
    frames = [SAMPLES[480 + 160 * i - 1] for i in range((len(SAMPLES) - 480) // 160 + 1)]
    for stride, inputs in zip((3, 1, 2, 3), heard(made([3, 1, 2, 3]), SAMPLES, 300), strict=True):
        wanted = [
            b"".join(bytes([reference.quantised(f, SCALE_BITS, -128) & 255]) * 40 for f in frames[i : i + stride])
            for i in range(0, len(frames) // stride * stride, stride)
        ]
        assert inputs == wanted


def test_reset_forgets_frames_and_outputs():
    hearing = made([3, 3])
    first = [list(inputs) for inputs in heard(hearing, SAMPLES[:1700], 1700)]
    hearing.reset()
    assert heard(hearing, SAMPLES[:1700], 1700) == [inputs * 2 for inputs in first]
    assert all(word.sum == 0 or word.peak >= word.sum for word in hearing.words)


def test_four_words_on_one_front_end_all_fire():
    hearing = made([3, 3, 3, 3])
    hearing.words[2].note.limit = 5 * 254  # 255 is reached by a feature of 332: 127 of int8 is less
    loud = array("h", [300] * (160 * 30))
    heard(hearing, loud, 500)
    peak = 5 * (reference.quantised(300, SCALE_BITS, -128) & 255)
    assert [word.peak for word in hearing.words] == [peak] * 4
    assert [word.detections > 0 for word in hearing.words] == [peak > word.note.limit for word in hearing.words]
    assert sum(word.detections > 0 for word in hearing.words) >= 3


def test_word_is_silent_for_its_refractory_time_and_heard_again():
    word = Keyword(Note("w", window=2, limit=400), Network([]), refractory_ms=100)
    found = []
    for i in range(20):
        word.output[0] = 255
        if word.take():
            found.append(i)
    # 100 ms are four outputs of 30 ms, rounded up.
    assert found == [1, 6, 11, 16]
    assert [h for _, h in reference.decisions([255] * 20, 2, Fraction(400, 512), 4)] == [i in found for i in range(20)]
