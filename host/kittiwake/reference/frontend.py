"""TFLite Micro's audio front end, from its definition: PCM to 40 features every 10 ms, in Python integers.

A window of 30 ms (Hann, Q12), scaled up to use 15 bits; a real FFT of 512 points in Q15, each stage scaled down by its
radix; the energies of 40 overlapping triangles on the mel scale, 125 to 7500 Hz, and their roots; the noise floor taken
off; a gain that depends on that floor (PCAN); the natural logarithm, times 64.

Source: TensorFlow's experimental/microfrontend and KISS FFT, whose results it gives bit for bit; the constants are
those of microWakeWord. It shares nothing with the firmware: tables come from floats here, and stand there as bytes.
"""

from __future__ import annotations

import math
import struct

RATE_HZ = 16000
WINDOW = 480
STEP = 160
CHANNELS = 40
_FFT = 512
_LOW_HZ, _HIGH_HZ = 125.0, 7500.0
_FILTER_BITS = 12
_SMOOTHING_BITS = 10
_NOISE_BITS = 14
_SMOOTHING = (409, 983)  # of even and odd channels: 0.025 and 0.06, Q14
_LEAST = 819  # 0.05, Q14
_GAIN_BITS = 21
_CORRECTION_BITS = 3
_SNR_BITS, _OUTPUT_BITS = 12, 6
_LOG_BITS = 16
_SEGMENTS = 128
_LN2 = 45426  # Q16
# Weights that stand within a float's last bit of a half, where C's log1pf is that bit off what math.log1p rounds to.
# Found by tones in their bins: pymicro-features has the larger values.
_LOG1PF_ROUNDS_UP = (144, 216)


# Real and imaginary part, int16.
Point = tuple[int, int]


def _f32(x: float) -> float:
    """The nearest float of 32 bits: what C has after each operation on floats."""
    rounded: float = struct.unpack("<f", struct.pack("<f", x))[0]
    return rounded


def window_table() -> list[int]:
    """The window's 480 coefficients, Q12."""
    arg = _f32(_f32(_f32(math.pi) * 2) / WINDOW)
    shape = [_f32(0.5 - _f32(0.5 * _f32(math.cos(_f32(arg * (i + 0.5)))))) for i in range(WINDOW)]
    return [math.floor(_f32(_f32(value * 4096) + 0.5)) for value in shape]


def sine_table() -> list[int]:
    """A quarter of a sine in 128 steps, Q15: round(32767 sin(2 pi j / 512)) for j of 0 to 128."""
    return [math.floor(0.5 + 32767 * math.sin(2 * math.pi * j / 512)) for j in range(129)]


def mel_table() -> tuple[int, list[int], list[int]]:
    """The bank of filters.

    Returns:
        (first bin, bins of each of the 41 triangles' falling halves, weight of each bin in its half, Q12). The rest of
        a bin's energy, 4096 less the weight, goes to the next channel; the first half is no channel's.
    """

    def mel(hz: float) -> float:
        return _f32(1127 * _f32(math.log1p(_f32(hz / 700))))

    hz_a_bin = RATE_HZ / _FFT
    low = mel(_LOW_HZ)
    spacing = _f32(_f32(mel(_HIGH_HZ) - low) / (CHANNELS + 1))
    centres = [_f32(low + _f32(spacing * (i + 1))) for i in range(CHANNELS + 1)]
    start = at = int(1.5 + _LOW_HZ / hz_a_bin)
    widths, weights = [], []
    for channel, centre in enumerate(centres):
        before = low if channel == 0 else centres[channel - 1]
        first = at
        while mel(at * hz_a_bin) <= centre:
            share = _f32(_f32(centre - mel(at * hz_a_bin)) / _f32(centre - before))
            weights.append(math.floor(_f32(_f32(share * 4096) + 0.5)))
            at += 1
        widths.append(at - first)
    for place in _LOG1PF_ROUNDS_UP:
        weights[place] += 1
    return start, widths, weights


def gain_table() -> list[int]:
    """PCAN's gain by the noise estimate: two values, then for each bit length from 2 on (value, slope, bend)."""

    def gain(x: int) -> int:
        scaled = _f32(x) / (1 << (_SMOOTHING_BITS - _CORRECTION_BITS))
        value = _f32((1 << _GAIN_BITS) * _f32(math.pow(_f32(scaled + 80), -_f32(0.95))))
        return min(32767, int(_f32(value + 0.5)))

    table = [gain(0), gain(1)]
    for bits in range(2, 33):
        x0 = 1 << (bits - 1)
        x2 = 2 * x0 - (bits == 32)
        y0, y1, y2 = gain(x0), gain(x0 + x0 // 2), gain(x2)
        slope = 4 * (y1 - y0) - (y2 - y0)
        table += [y0, slope, y2 - y0 - slope]
    return table


def log_table() -> list[int]:
    """What log2 has over a straight line, Q16, in 128 segments, and 0 behind them."""
    table = [round(65536 * (math.log2(1 + i / _SEGMENTS) - i / _SEGMENTS)) for i in range(_SEGMENTS + 1)]
    return [*table, 0]


def _int16(x: int) -> int:
    return (x + 32768) % 65536 - 32768


def _half_up(x: int) -> int:
    return (x + 16384) >> 15


def _fft(values: list[Point]) -> list[Point]:
    """KISS FFT's complex transform of 256 points by radix 4, in Q15: pairs of int16."""
    quarter = sine_table()

    def sine(j: int) -> int:  # of 512 steps a turn
        j %= 512
        side = j % 256
        value = quarter[side] if side <= 128 else quarter[256 - side]
        return value if j < 256 else -value

    def twiddle(i: int) -> Point:  # exp(-2 pi i / 256)
        return sine(128 + 2 * i), -sine(2 * i)

    def times(a: Point, w: Point) -> Point:
        return _half_up(a[0] * w[0] - a[1] * w[1]), _half_up(a[0] * w[1] + a[1] * w[0])

    def transform(points: list[Point]) -> list[Point]:
        count = len(points)
        if count == 1:
            return points
        parts = [transform(points[first::4]) for first in range(4)]
        size = count // 4
        out = [(0, 0)] * count
        for k in range(size):
            scaled = [(_half_up(part[k][0] * 8191), _half_up(part[k][1] * 8191)) for part in parts]
            a = scaled[0]
            b, c, d = (times(scaled[j], twiddle(j * k * 256 // count)) for j in (1, 2, 3))
            even, odd = (a[0] + c[0], a[1] + c[1]), (a[0] - c[0], a[1] - c[1])
            both, apart = (b[0] + d[0], b[1] + d[1]), (b[0] - d[0], b[1] - d[1])
            out[k] = even[0] + both[0], even[1] + both[1]
            out[k + 2 * size] = even[0] - both[0], even[1] - both[1]
            out[k + size] = odd[0] + apart[1], odd[1] - apart[0]
            out[k + 3 * size] = odd[0] - apart[1], odd[1] + apart[0]
        return [(_int16(re), _int16(im)) for re, im in out]

    return transform(values)


def spectrum(samples: list[int]) -> list[Point]:
    """The transform of 512 real values: pairs of int16 for bins 0 to 256."""
    z = _fft([(samples[2 * n], samples[2 * n + 1]) for n in range(256)])
    quarter = sine_table()
    out = [(0, 0)] * 257

    def half(x: int) -> int:
        return _half_up(x * 16383)

    for k in range(1, 129):
        a = half(z[k][0]), half(z[k][1])
        b = half(z[256 - k][0]), half(-z[256 - k][1])
        same, other = (a[0] + b[0], a[1] + b[1]), (a[0] - b[0], a[1] - b[1])
        # exp(-i pi (k / 256 + 1/2))
        w = -quarter[k], -quarter[128 - k]
        t = (
            _half_up(other[0] * w[0] - other[1] * w[1]),
            _half_up(other[0] * w[1] + other[1] * w[0]),
        )
        out[k] = (same[0] + t[0]) >> 1, (same[1] + t[1]) >> 1
        out[256 - k] = (same[0] - t[0]) >> 1, (t[1] - same[1]) >> 1
    return out


def _root(x: int) -> int:
    root = math.isqrt(x)
    limit = 0xFFFF if x < 1 << 32 else 0xFFFFFFFF
    return root + 1 if x - root * root > root and root != limit else root


def _gain(x: int, table: list[int]) -> int:
    if x < 2:
        return table[x]
    bits = x.bit_length()
    y0, slope, bend = table[2 + 3 * (bits - 2) : 5 + 3 * (bits - 2)]
    if x == 2:
        return y0
    part = (x << (11 - bits) if bits < 11 else x >> (bits - 11)) & 0x3FF
    return y0 + (((((bend * part) >> 5) + (slope << 5)) * part + (1 << 14)) >> 15)


def _log(x: int, table: list[int]) -> int:
    if x <= 1:
        return 0
    whole = x.bit_length() - 1
    rest = x - (1 << whole)
    rest = rest << (_LOG_BITS - whole) if whole < _LOG_BITS else rest >> (whole - _LOG_BITS)
    segment = rest >> 9
    c0, c1 = table[segment], table[segment + 1]
    log2 = (whole << _LOG_BITS) + rest + c0 + (((c1 - c0) * (rest - (segment << 9))) >> _LOG_BITS)
    natural = (_LN2 * log2 + 32768) >> _LOG_BITS
    return min(0xFFFF, ((natural << 6) + 32768) >> _LOG_BITS)


class Frontend:
    """The front end, fed with samples; features come when a window is full."""

    def __init__(self) -> None:
        self._window = window_table()
        self._start, self._widths, self._weights = mel_table()
        self._gains, self._logs = gain_table(), log_table()
        self.reset()

    def reset(self) -> None:
        """Begin as new."""
        self._samples: list[int] = []
        self._noise = [0] * CHANNELS

    def feed(self, samples: list[int]) -> list[list[int]]:
        """Take samples, int16 at 16 kHz; return the features of each frame that they complete, 40 of 0 to 65535."""
        frames = []
        self._samples += samples
        while len(self._samples) >= WINDOW:
            frames.append(self._frame(self._samples[:WINDOW]))
            del self._samples[:STEP]
        return frames

    def _frame(self, samples: list[int]) -> list[int]:
        shaped = [_int16((x * c) >> 12) for x, c in zip(samples, self._window, strict=True)]
        # The magnitude is an int16 too, so -32768 has none: it is passed over, and may be cut by the shift.
        peak = max((abs(x) for x in shaped if x != -32768), default=0)
        shift = 15 - peak.bit_length()
        bins = spectrum([_int16(x << shift) for x in shaped] + [0] * (_FFT - WINDOW))
        sums = [0] * (CHANNELS + 2)
        at, place = self._start, 0
        for channel, width in enumerate(self._widths):
            for _ in range(width):
                energy = bins[at][0] ** 2 + bins[at][1] ** 2
                sums[channel] += energy * self._weights[place]
                sums[channel + 1] += energy * (4096 - self._weights[place])
                at, place = at + 1, place + 1
        return [self._feature(c, _root(sums[c + 1]) >> shift) for c in range(CHANNELS)]

    def _feature(self, channel: int, signal: int) -> int:
        smoothing = _SMOOTHING[channel % 2]
        scaled = signal << _SMOOTHING_BITS
        noise = (scaled * smoothing + self._noise[channel] * ((1 << _NOISE_BITS) - smoothing)) >> _NOISE_BITS
        self._noise[channel] = noise
        floor = (signal * _LEAST) >> _NOISE_BITS
        left = max(floor, (scaled - min(noise, scaled)) >> _SMOOTHING_BITS)
        ratio = (left * _gain(noise, self._gains)) >> (_GAIN_BITS - _CORRECTION_BITS - _SNR_BITS)
        if ratio < 2 << _SNR_BITS:
            shrunk = ratio * ratio >> (2 + 2 * _SNR_BITS - _OUTPUT_BITS)
        else:
            shrunk = (ratio >> (_SNR_BITS - _OUTPUT_BITS)) - (1 << _OUTPUT_BITS)
        return _log(shrunk << _CORRECTION_BITS, self._logs)
