"""The audio front end from energies to features: the definition.

Filters on the mel scale and the roots of what they gather; the noise floor taken off; PCAN's gain; the logarithm.
Source: TensorFlow's experimental/microfrontend, bit for bit, with the constants of microWakeWord.
"""

_CHANNELS = 40


def channels(energy, bank, signal, shift):
    """Gather energies into 40 channels. Allocates.

    Args:
        energy: array('i') of 256, see plain_spectrum.energies.
        bank: bytes: the first bin, the widths of 41 falling halves, a filler when the count is odd, then the weights of
            their bins, Q12 in 16 bits.
        signal: array('i') of 41; words 0 to 39 become the channels' roots, shifted down.
        shift: by which the window was scaled up.
    """
    at, place = bank[0], 42
    rising = 0
    for channel in range(_CHANNELS + 1):
        falling, rest = 0, 0
        for _ in range(bank[1 + channel]):
            weight = bank[place] | bank[place + 1] << 8
            falling += energy[at] * weight
            rest += energy[at] * (4096 - weight)
            at, place = at + 1, place + 2
        if channel:
            signal[channel - 1] = root(rising + falling) >> shift
        rising = rest


def root(x):
    """The square root of 0 to 2^46, rounded half up; 65535 stays for what is below 2^32. Allocates."""
    low, high = 0, 1 << 23
    while high - low > 1:
        middle = (low + high) >> 1
        if middle * middle <= x:
            low = middle
        else:
            high = middle
    return low + 1 if x - low * low > low and (low != 0xFFFF or x >> 32) else low


def finish(signal, noise, tables, features):
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


def _signed(tables, place):
    return ((tables[place] | tables[place + 1] << 8) ^ 32768) - 32768


def _gain(x, tables):
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


def _log(x, tables):
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


def _bits(x):
    count = 0
    while x:
        x >>= 1
        count += 1
    return count
