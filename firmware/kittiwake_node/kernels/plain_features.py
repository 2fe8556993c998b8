"""The audio front end from channels to features: the noise floor taken off, PCAN's gain, the logarithm: the definition.

Source: TensorFlow's experimental/microfrontend, bit for bit, with the constants of microWakeWord.
"""

if False:  # for mypy alone
    from kittiwake_types import Buffer, Samples

_CHANNELS = 40


def finish(signal: "Samples", noise: "Samples", tables: "Buffer", features: "Samples") -> None:
    """Turn the channels' roots into features. Allocates.

    Args:
        signal: array('i') of 40 or more, below 2^20.
        noise: array('i') of 40, the noise estimates, Q10; updated.
        tables: bytes: LOGS of speech.tables, then GAINS.
        features: array('H') of 40: 64 times the logarithm.
    """
    for c in range(_CHANNELS):
        s = signal[c]
        smoothing = 983 if c & 1 else 409
        noise[c] = ((s << 10) * smoothing + noise[c] * (16384 - smoothing)) >> 14
        left = max((s * 819) >> 14, (max(0, (s << 10) - noise[c])) >> 10)
        ratio = (left * _gain(noise[c], tables)) >> 6
        shrunk = ratio * ratio >> 20 if ratio < 8192 else (ratio >> 6) - 64
        features[c] = _log(shrunk << 3, tables)


def _signed(tables: "Buffer", place: int) -> int:
    return ((tables[place] | tables[place + 1] << 8) ^ 32768) - 32768


def _gain(x: int, tables: "Buffer") -> int:
    if x < 2:
        return _signed(tables, 260 + 2 * x)
    bits = _bits(x)
    place = 264 + 6 * (bits - 2)
    value = _signed(tables, place)
    if x == 2:
        return value
    part = (x << (11 - bits) if bits < 11 else x >> (bits - 11)) & 1023
    slope, bend = _signed(tables, place + 2), _signed(tables, place + 4)
    return value + (((((bend * part) >> 5) + (slope << 5)) * part + 16384) >> 15)


def _log(x: int, tables: "Buffer") -> int:
    if x < 2:
        return 0
    whole = _bits(x) - 1
    rest = x - (1 << whole)
    rest = rest << (16 - whole) if whole < 16 else rest >> (whole - 16)
    place = rest >> 9 << 1
    low = tables[place] | tables[place + 1] << 8
    high = tables[place + 2] | tables[place + 3] << 8
    log2 = (whole << 16) + rest + low + (((high - low) * (rest & 511)) >> 16)
    natural = (45426 * log2 + 32768) >> 16
    return ((natural << 6) + 32768) >> 16


def _bits(x: int) -> int:
    count = 0
    while x:
        x >>= 1
        count += 1
    return count
