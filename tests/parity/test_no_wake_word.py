"""Speech without wake words, an hour in the soak: pymicro_wakeword's false accepts, and a heap that stays flat."""

import random
from array import array

import pytest

pytest.importorskip("pymicro_wakeword", reason="no wheel of pymicro-wakeword for this machine")
pytest.importorskip("espeakng_loader", reason="no wheel of espeakng-loader for this machine")

import numpy
from pymicro_wakeword import MicroWakeWord, MicroWakeWordFeatures, Model

from kittiwake import listen
from kittiwake.model import wake
from kittiwake.target import open_target
from tests.support import voices
from tests.support.hil import SOAK

SECONDS = 3600 if SOAK else 300
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


@pytest.mark.timeout(3600 if SOAK else 300)
def test_speech_without_wake_words_gives_pymicro_wakewords_false_accepts_and_a_flat_heap():
    its = {name: MicroWakeWord.from_builtin(Model(name)) for name in wake.NAMES}
    frontend = MicroWakeWordFeatures()
    expected, found, heaps = dict.fromkeys(its, 0), dict.fromkeys(its, 0), []
    silent = dict.fromkeys(its, 0)
    frames = 0
    plans = {name: wake.compile_word(wake.find(name), "viper") for name in wake.NAMES}
    with open_target("unix") as board:
        listener = listen.Listener(board, plans, "viper", refractory_ms=2010)
        for second, piece in enumerate(speech(SECONDS)):
            for features in frontend.process_streaming(piece.tobytes()):
                for name, word in its.items():
                    above = word.process_streaming(features)
                    # Decisions come each third frame; 2,010 ms of silence are 67 of them.
                    if frames % 3 == 2:
                        silent[name] -= 1
                        if above and silent[name] < 0:
                            expected[name] += 1
                            silent[name] = 67
                frames += 1
            for each in listener.hear(array("h", piece.tobytes()), chunk=_CHUNK):
                found[each.model] += 1
            if second % 30 == 29:
                heaps.append(int(board.exec(_HEAP)))
        session = listener.close()
    assert session.frames == frames == (SECONDS * 16000 - 480) // 160 + 1
    assert found == expected
    assert len(heaps) == SECONDS // 30
    # The collector may take a number on the stack for an address, so single blocks come and go.
    assert max(heaps[1:]) - min(heaps[1:]) < 4096, heaps
    print(f"{SECONDS} s: false accepts {found}, peaks {session.peaks}, heap {min(heaps)} to {max(heaps)} bytes")
