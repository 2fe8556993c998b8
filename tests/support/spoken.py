"""Features as a microphone would give them: generated sound through TFLite Micro's own front end.

The sound is made up: a voice's harmonics gliding under moving resonances, hiss, clicks and silence. Source of the front
end: the package pymicro-features, whose integers are scaled by 1/25.6 and quantised by the model's own input.
"""

import math
import random
from fractions import Fraction

import pymicro_features

RATE_HZ = 16000
FRAMES_AN_INVOKE = 3
_FEATURE_SCALE = Fraction(10, 256)


def sound(seconds, seed):
    """int16 samples at 16 kHz, as bytes."""
    rng = random.Random(seed)
    out = bytearray()
    total = int(seconds * RATE_HZ)
    phase = 0.0
    while len(out) < 2 * total:
        kind = rng.choice(("voice", "voice", "voice", "hiss", "silence", "clicks"))
        pitch, glide = rng.uniform(80, 250), rng.uniform(-60, 60)
        peaks = [rng.uniform(250, 900), rng.uniform(900, 2500), rng.uniform(2500, 3800)]
        loud = 10 ** rng.uniform(2, 4)
        count = rng.randrange(RATE_HZ // 20, RATE_HZ // 4)
        harmonics = [(k, sum(1 / (1 + ((k * pitch - p) / 120) ** 2) for p in peaks) + 0.02) for k in range(1, 16)]
        for i in range(count):
            value = 0.0
            if kind == "voice":
                phase += (pitch + glide * i / count) / RATE_HZ
                value = sum(a * math.sin(2 * math.pi * k * phase) for k, a in harmonics)
            elif kind == "hiss":
                value = rng.gauss(0, 1)
            elif kind == "clicks":
                value = rng.choice((-8, 8)) if rng.random() < 0.002 else 0.0
            sample = round(value * loud + rng.gauss(0, 8)) if kind != "silence" else rng.randrange(-2, 3)
            out += max(-32768, min(32767, sample)).to_bytes(2, "little", signed=True)
    return bytes(out[: 2 * total])


def features(audio):
    """Frames of 40 integers, one every 10 ms, as the front end gives them (its floats times 25.6)."""
    frontend = pymicro_features.MicroFrontend()
    frames, at = [], 0
    while at + 320 <= len(audio):
        made = frontend.process_samples(audio[at : at + 320])
        at += 2 * made.samples_read
        if made.features:
            frames.append([round(value * 25.6) for value in made.features])
    return frames


def inputs(frames, scale, zero_point):
    """Invokes' inputs: three new frames each, quantised half to even and saturated to int8."""
    step = Fraction(scale)
    quantised = [bytes(_byte(f * _FEATURE_SCALE / step, zero_point) for f in frame) for frame in frames]
    whole = len(quantised) // FRAMES_AN_INVOKE * FRAMES_AN_INVOKE
    return [b"".join(quantised[i : i + FRAMES_AN_INVOKE]) for i in range(0, whole, FRAMES_AN_INVOKE)]


def _byte(units, zero_point):
    return max(-128, min(127, round(units) + zero_point)) & 0xFF
