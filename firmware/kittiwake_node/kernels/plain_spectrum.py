"""The audio front end from samples to energies: the definition.

A window, scaled up, in front of the transform (plain_fft); behind it, the energies of 512 real values, from the
transform of their pairs. Source: TensorFlow's experimental/microfrontend and KISS FFT, bit for bit.

`z` is array('h') of 512, 256 pairs (re, im). `sine` is array('h') of 640: 32767 sin(2 pi j / 512).
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def put(pcm: "Samples", buf: "Samples", start: int, places: int) -> None:
    """Copy samples into the ring.

    Args:
        pcm: array('h') of 480, a ring.
        buf: array('h').
        start: first sample of buf.
        places: the first one's place in the ring, and from bit 9 on the number of samples.
    """
    at = places & 511
    for i in range(start, start + (places >> 9)):
        pcm[at] = buf[i]
        at = (at + 1) % 480


def window(pcm: "Samples", head: int, table: "Samples", z: "Samples") -> int:
    """Shape 480 samples, and put them and 32 zeros where the transform wants them: in pairs, by reversed base-4 digits.

    Args:
        pcm: array('h') of 480, a ring.
        head: place of the oldest, a multiple of 8.
        table: array('H') of 480, the window, Q12.
        z: as above.

    Returns:
        By how many bits the largest of them can be scaled up; -32768 is not looked at.
    """
    largest = 0
    for n in range(256):
        to = (n & 3) << 6 | (n & 12) << 2 | n >> 2 & 12 | n >> 6
        for part in (0, 1):
            i = 2 * n + part
            x = (pcm[(head + i) % 480] * table[i]) >> 12 if i < 480 else 0
            z[2 * to + part] = x
            if x != -32768:
                largest = max(largest, abs(x))
    shift = 15
    while largest:
        largest >>= 1
        shift -= 1
    return shift


def scale(z: "Samples", shift: int) -> None:
    """Multiply by 2^shift. What that pushes out of 16 bits is lost, as in C.

    Args:
        z: as above.
        shift: 0 to 15.
    """
    for i in range(512):
        z[i] = (((z[i] << shift) + 32768) & 0xFFFF) - 32768


def energies(z: "Samples", sine: "Samples", out: "Samples") -> None:
    """Energies of bins 1 to 255 of 512 real values, from the transform of their pairs.

    Args:
        z: as the transform leaves it.
        sine: as above.
        out: array('i') of 256; bin 0 is left alone. Each is below 2^28.
    """
    for k in range(1, 129):
        m = 256 - k
        ar, ai = (z[2 * k] * 16383 + 16384) >> 15, (z[2 * k + 1] * 16383 + 16384) >> 15
        br, bi = (z[2 * m] * 16383 + 16384) >> 15, (-z[2 * m + 1] * 16383 + 16384) >> 15
        c, s = -sine[k], -sine[128 - k]
        dr, di = ar - br, ai - bi
        tr, ti = (dr * c - di * s + 16384) >> 15, (dr * s + di * c + 16384) >> 15
        re, im = (ar + br + tr) >> 1, (ai + bi + ti) >> 1
        out[k] = re * re + im * im
        re, im = (ar + br - tr) >> 1, (ti - ai - bi) >> 1
        out[m] = re * re + im * im
