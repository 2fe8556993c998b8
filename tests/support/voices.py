"""Speech of our own making: espeak-ng in a process of its own, at 16 kHz, in any voice, speed, pitch and noise.

Knows the shared library in the wheel `espeakng-loader`; nothing of wake words. Run as a program it is the child: the
library holds one voice for the whole process, and what it does to its memory is not this process's trouble.
"""

import ctypes
import json
import random
import subprocess
import sys

import numpy

RATE_HZ = 16000
_RETRIEVAL = 1
_DONT_EXIT = 0x8000
_UTF8 = 1
_SPEED, _PITCH, _RANGE = 1, 3, 4
_CALLBACK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p)


class Voices:
    """A synthesiser that answers; a context manager."""

    def __enter__(self):
        self._child = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        return self

    def __exit__(self, *_):
        self._child.stdin.close()
        self._child.stdout.close()
        self._child.wait()

    def say(self, text, voice="en-us", speed=160, pitch=50, spread=50):
        """Speak. Returns int16 samples at 16 kHz (numpy)."""
        asked = {"text": text, "voice": voice, "speed": speed, "pitch": pitch, "spread": spread}
        self._child.stdin.write(json.dumps(asked).encode() + b"\n")
        self._child.stdin.flush()
        said = json.loads(self._child.stdout.readline())
        content = self._child.stdout.read(said["bytes"])
        return resampled(numpy.frombuffer(content, "<i2"), said["rate"])


def resampled(samples, rate_hz):
    """The samples at 16 kHz, by a windowed sinc below half the lower rate."""
    if rate_hz == RATE_HZ:
        return samples.copy()
    count = len(samples) * RATE_HZ // rate_hz
    at = numpy.arange(count) * (rate_hz / RATE_HZ)
    reach = 24
    share = 0.92 * min(1.0, RATE_HZ / rate_hz)
    padded = numpy.concatenate([numpy.zeros(reach), samples, numpy.zeros(reach + 1)])
    first = at.astype(int)
    out = numpy.zeros(count)
    for k in range(-reach + 1, reach + 1):
        away = at - (first + k)
        weight = share * numpy.sinc(share * away) * (0.5 + 0.5 * numpy.cos(numpy.pi * away / reach))
        out += weight * padded[first + k + reach]
    return numpy.clip(numpy.rint(out), -32768, 32767).astype("<i2")


def staged(speech, before_s=0.6, after_s=0.7, noise=0, gain=1.0, seed=1):
    """Speech with silence around it and Gaussian noise of that deviation over all of it (int16, numpy)."""
    quiet = [numpy.zeros(int(RATE_HZ * seconds)) for seconds in (before_s, after_s)]
    whole = numpy.concatenate([quiet[0], speech * gain, quiet[1]])
    whole = whole + numpy.random.default_rng(seed).normal(0, noise, len(whole)) if noise else whole
    return numpy.clip(numpy.rint(whole), -32768, 32767).astype("<i2")


VOICES = ("en-gb-scotland", "en-us", "en-029", "en-gb", "en-gb-x-rp", "en-us+f3", "en-us+m3", "en-gb+f2", "en-us+m7")
NOISES = (0, 20, 100, 400)


def spoken(voices, phrase, count, seed):
    """`count` stagings of a phrase in several voices, speeds, pitches and noise levels, always the same for a seed.

    Yields:
        (what it is, int16 samples).
    """
    rng = random.Random(f"{phrase} {seed}")
    for number in range(count):
        voice, speed = VOICES[number % len(VOICES)], rng.choice((120, 140, 160, 180, 200))
        noise, pitch = rng.choice(NOISES), rng.choice((30, 50, 70))
        speech = voices.say(phrase, voice, speed, pitch)
        gain = rng.choice((0.25, 0.5, 1.0))
        about = f"{phrase}: {voice}, {speed} words a minute, pitch {pitch}, gain {gain}, noise {noise}"
        yield about, staged(speech, noise=noise, gain=gain, seed=number)


def _serve():
    import espeakng_loader

    library = ctypes.CDLL(str(espeakng_loader.get_library_path()))
    folder = str(espeakng_loader.get_data_path()).encode()
    rate = library.espeak_Initialize(_RETRIEVAL, 0, folder, _DONT_EXIT)
    pieces = []

    def take(samples, count, _events):
        if samples and count:
            pieces.append(ctypes.string_at(samples, 2 * count))
        return 0

    kept = _CALLBACK(take)
    library.espeak_SetSynthCallback(kept)
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        library.espeak_SetVoiceByName(asked["voice"].encode())
        for name, value in ((_SPEED, asked["speed"]), (_PITCH, asked["pitch"]), (_RANGE, asked["spread"])):
            library.espeak_SetParameter(name, value, 0)
        text = asked["text"].encode()
        pieces.clear()
        # The noise in consonants and breath comes from rand(), which the library seeds by the time of day.
        library.espeak_ng_SetRandSeed(ctypes.c_long(1))
        library.espeak_Synth(text, ctypes.c_size_t(len(text) + 1), 0, 1, 0, _UTF8, None, None)
        library.espeak_Synchronize()
        content = b"".join(pieces)
        sys.stdout.buffer.write(json.dumps({"bytes": len(content), "rate": rate}).encode() + b"\n" + content)
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
