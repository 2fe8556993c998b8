"""The audio front end's filters: energies into 40 channels on the mel scale, and their roots: the definition.

Source: TensorFlow's experimental/microfrontend, bit for bit, with the constants of microWakeWord.
"""

if False:  # for mypy alone
    from kittiwake_types import Buffer, Samples

_CHANNELS = 40


def channels(energy: "Samples", bank: "Buffer", signal: "Samples", shift: int) -> None:
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


def root(x: int) -> int:
    """The square root of 0 to 2^46, rounded half up, but for 65535: what is below 2^32 does not exceed 16 bits."""
    low, high = 0, 1 << 23
    while high - low > 1:
        middle = (low + high) >> 1
        if middle * middle <= x:
            low = middle
        else:
            high = middle
    return low + 1 if x - low * low > low and low != 0xFFFF else low
