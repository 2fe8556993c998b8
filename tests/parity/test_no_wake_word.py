"""Speech without wake words, an hour in the soak: false accepts as the references have them, and a flat heap."""

import random
import struct
from array import array
from fractions import Fraction

import pytest

pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")
pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")
pytest.importorskip("espeakng_loader", reason="no wheel of espeakng-loader for this machine")

import numpy
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from kittiwake.model import wake
from kittiwake.model.run import oracle
from kittiwake.reference import keyword as reference
from kittiwake.runs import listen
from kittiwake.target import open_target
from tests.support import voices
from tests.support.hil import SOAK

SECONDS = 3600 if SOAK else 300
SILENT = 67  # outputs after an accept that accept nothing: 2,010 ms
_CHUNK = 16000
# Words of a factory hall, and some that sound like what is listened for.
_WORDS = [
    *("the pump in hall four is quiet today", "okay now boot the mixer", "a lexer reads letters", "jar of rust"),
    *("hey, Travis, lift that", "hey my craft is welding", "check bearing temperature before noon", "nobody knew"),
    *("oil pressure fell by two bar", "send the log to the office", "motor seven hums", "the nave of the church"),
]
_HEAP = "import gc\ngc.collect()\nprint(gc.mem_alloc())"


def speech(seconds):
    """Sentences of several words in changing voices, with pauses and noise, in pieces of a second."""
    rng = random.Random(88)
    pending = numpy.zeros(0, "<i2")
    given = 0
    with voices.Voices() as mouth:
        while given < seconds:
            while len(pending) < _CHUNK:
                text = ", ".join(rng.sample(_WORDS, rng.randint(1, 4)))
                said = mouth.say(text, rng.choice(voices.VOICES), rng.randint(120, 220), rng.randint(20, 80))
                gain, noise = rng.choice((0.2, 0.5, 1.0)), rng.choice(voices.NOISES)
                staged = voices.staged(said, 0.1, rng.random(), noise=noise, gain=gain, seed=rng.randrange(1 << 30))
                pending = numpy.concatenate([pending, staged])
            yield pending[:_CHUNK]
            pending = pending[_CHUNK:]
            given += 1


class Its:
    """pymicro_wakeword as it is over a stream, and what each output was made of."""

    def __init__(self):
        self.words = {name: MicroWakeWord.from_builtin(Model(name)) for name in wake.NAMES}
        self.frames = array("H")
        self.outputs = {name: bytearray() for name in wake.NAMES}
        self.accepts = {name: [] for name in wake.NAMES}
        self._frontend = MicroWakeWordFeatures()
        self._silent = dict.fromkeys(wake.NAMES, 0)

    def hear(self, piece):
        """Takes a second of audio."""
        for features in self._frontend.process_streaming(piece.tobytes()):
            self.frames.extend(int(value) for value in numpy.rint(numpy.ravel(features) * 25.6))
            decides = len(self.frames) // 40 % 3 == 0
            for name, word in self.words.items():
                above = word.process_streaming(features)
                if decides:
                    self._decide(name, above, round(word._probabilities[-1] * 256))

    def _decide(self, name, above, output):
        self._silent[name] -= 1
        if above and self._silent[name] < 0:
            self.accepts[name].append(len(self.outputs[name]))
            self._silent[name] = SILENT
        self.outputs[name].append(output)


def micro_outputs(micro, name, frames):
    """TFLite Micro's outputs over a stream's features, quantised by the reference's rational arithmetic."""
    word = wake.find(name)
    scale, zero = model_input(word)
    table = [reference.quantised(value, scale, zero) & 0xFF for value in range(671)]
    content = bytes(table[value] for value in frames)
    inputs = [content[at : at + 120] for at in range(0, len(content) // 120 * 120, 120)]
    return bytes(out[0] for out in micro.run(word.model, inputs)[0])


def model_input(word):
    """Bits of the scale, and zero point, as the plan's header has them."""
    plan = wake.compile_word(word, "viper")
    return struct.unpack("<Ii", plan[52:60])


def accepted(name, outputs):
    """Places at which the reference hears the word in outputs."""
    word = wake.find(name)
    limit = Fraction(wake.limit(word.cutoff, word.window), 256 * word.window)
    decided = reference.decisions(outputs, word.window, limit, SILENT)
    return [place for place, (_, heard) in enumerate(decided) if heard]


def test_speech_of_a_seed_is_always_the_same():
    first, second = (b"".join(piece.tobytes() for piece in speech(4)) for _ in range(2))
    assert first == second
    assert len(first) == 4 * 32000


@pytest.mark.timeout(3600 if SOAK else 300)
def test_speech_without_wake_words_gives_pymicro_wakewords_false_accepts_and_a_flat_heap():
    """The firmware's outputs are TFLite Micro's, and its accepts those of pymicro_wakeword's rule over them, each one.

    pymicro_wakeword brings another TensorFlow Lite, whose outputs differ in the last bits; its accepts are that rule
    over those, so the counts may differ where a mean is just at the cutoff.
    """
    its = Its()
    found, heaps = {name: [] for name in wake.NAMES}, []
    plans = {name: wake.compile_word(wake.find(name), "viper") for name in wake.NAMES}
    with open_target("unix") as board:
        listener = listen.Listener(board, plans, "viper", refractory_ms=30 * SILENT, traced=True)
        for second, piece in enumerate(speech(SECONDS)):
            its.hear(piece)
            for each in listener.hear(array("h", piece.tobytes()), chunk=_CHUNK):
                found[each.model].append((round(each.time_s * 16000) - 480) // 480)
            if second % 30 == 29:
                heaps.append(int(board.exec(_HEAP)))
        session = listener.close()
    assert session.frames == len(its.frames) // 40 == (SECONDS * 16000 - 480) // 160 + 1
    with oracle.Oracle() as micro:
        for name in wake.NAMES:
            outputs = micro_outputs(micro, name, its.frames)
            assert bytes(session.trace[name]) == outputs, f"{name} differs from TFLite Micro"
            assert found[name] == accepted(name, outputs), name
            assert its.accepts[name] == accepted(name, its.outputs[name]), name
            assert abs(len(found[name]) - len(its.accepts[name])) <= len(its.accepts[name]) * 3 / 100, name
    assert len(heaps) == SECONDS // 30
    # The collector may take a number on the stack for an address, so single blocks come and go.
    assert max(heaps[1:]) - min(heaps[1:]) < 4096, heaps
    for name in wake.NAMES:
        different = sum(a != b for a, b in zip(session.trace[name], its.outputs[name], strict=True))
        print(
            f"{name}: {len(found[name])} false accepts, pymicro_wakeword {len(its.accepts[name])}; "
            f"{different} of {len(its.outputs[name])} outputs differ from its; peak {session.peaks[name]:.3f}"
        )
    print(f"{SECONDS} s, heap {heaps[1]} bytes after a minute, {heaps[-1]} at the end, {max(heaps[1:])} at most")
