"""Parity of hearing: what TFLite Micro and pymicro_wakeword make of audio, for tests to compare with."""

import ctypes
from dataclasses import dataclass

import numpy
from pymicro_features import MicroFrontend
from pymicro_wakeword import MicroWakeWord, Model

from kittiwake.model import wake

_CHUNK_BYTES = 320


@dataclass
class Heard:
    """One recording, one word.

    Attributes:
        outputs: TFLite Micro's, 0 to 255.
        above: for each output, whether pymicro_wakeword's own decision over TFLite Micro's outputs is a detection.
        fired: whether pymicro_wakeword as it is, with its own TensorFlow Lite, detects the word anywhere.
        its_outputs: those of its own TensorFlow Lite.
    """

    outputs: list[int]
    above: list[bool]
    fired: bool
    its_outputs: list[int]

    def its_peak(self, window):
        """Largest mean of its own outputs."""
        sums = [sum(self.its_outputs[at : at + window]) for at in range(len(self.its_outputs) - window + 1)]
        return max(sums, default=0) / (256 * window)


def features(samples):
    """pymicro_features over int16 samples: frames of 40 integers, and the floats that they stand for."""
    frontend = MicroFrontend()
    content = samples.tobytes()
    integers, floats = [], []
    at = 0
    while at + _CHUNK_BYTES <= len(content):
        out = frontend.process_samples(content[at : at + _CHUNK_BYTES])
        at += 2 * out.samples_read
        if out.features:
            frame = numpy.array(out.features)
            floats.append(frame.reshape((1, 1, 40)))
            integers.append([int(value) for value in numpy.rint(frame * 25.6)])
    return integers, floats


class Reference:
    """The four words of pymicro_wakeword, each with its decision code once more over outputs of TFLite Micro."""

    def __init__(self, micro):
        self._micro = micro
        self.words = {name: wake.find(name) for name in wake.NAMES}
        self._its = {name: MicroWakeWord.from_builtin(Model(name)) for name in wake.NAMES}

    def hear(self, floats):
        """name -> Heard, over frames of features."""
        return {name: self._one(name, floats) for name in self.words}

    def _one(self, name, floats):
        its = self._its[name]
        its.reset()
        fired, its_outputs = False, []
        for place, frame in enumerate(floats):
            fired |= bool(its.process_streaming(frame))
            if place % 3 == 2:
                its_outputs.append(round(its._probabilities[-1] * 256))
        scale, zero = its.input_scale, its.input_zero_point
        inputs = [
            numpy.clip(numpy.round(numpy.concatenate(floats[i : i + 3], axis=1) / scale + zero), -128, 127)
            .astype(numpy.int8)
            .tobytes()
            for i in range(0, len(floats) // 3 * 3, 3)
        ]
        # A run begins with an interpreter of its own, so with fresh state.
        outputs = [out[0] for out in self._micro.run(self.words[name].model, inputs)[0]] if inputs else []
        return Heard(outputs, self._decisions(its, floats, outputs), fired, its_outputs)

    def _decisions(self, its, floats, outputs):
        its.reset()
        library, its.lib = its.lib, _Library(its.lib, outputs)
        try:
            said = [its.process_streaming(frame) for frame in floats]
        finally:
            its.lib = library
        return [bool(said[3 * i + 2]) for i in range(len(outputs))]


class _Library:
    """TensorFlow Lite's C library, but that outputs come from a list."""

    def __init__(self, library, outputs):
        self._library = library
        self._outputs = iter(outputs)

    def __getattr__(self, name):
        return getattr(self._library, name)

    def TfLiteTensorCopyToBuffer(self, tensor, pointer, size):
        ctypes.memset(pointer, next(self._outputs), 1)
        return 0
