"""The audio front end's transform: 256 complex points by radix 4, each stage divided by 4: the definition.

Source: KISS FFT by 16-bit integers, bit for bit. The window's mean is below a half, so that no sum leaves 16 bits.
"""

if False:  # for mypy alone
    from kittiwake_types import Samples


def transform(z: "Samples", sine: "Samples") -> None:
    """Transform 256 pairs, in place, divided by 256. Allocates.

    Args:
        z: array('h') of 512, pairs (re, im), in the order of reversed base-4 digits.
        sine: array('h') of 640: 32767 sin(2 pi j / 512).

    The first stage only adds: times 32767, a quarter of a 16-bit value stays what it is.
    """
    size = 1
    while size < 256:
        for first in range(0, 256, 4 * size):
            for k in range(size):
                at = [first + k + j * size for j in range(4)]
                parts = [((z[2 * i] * 8191 + 16384) >> 15, (z[2 * i + 1] * 8191 + 16384) >> 15) for i in at]
                a = parts[0]
                b, c, d = [_turned(parts[j], j * k * 128 // size, sine) for j in (1, 2, 3)]
                even, odd = (a[0] + c[0], a[1] + c[1]), (a[0] - c[0], a[1] - c[1])
                both, apart = (b[0] + d[0], b[1] + d[1]), (b[0] - d[0], b[1] - d[1])
                z[2 * at[0]], z[2 * at[0] + 1] = even[0] + both[0], even[1] + both[1]
                z[2 * at[1]], z[2 * at[1] + 1] = odd[0] + apart[1], odd[1] - apart[0]
                z[2 * at[2]], z[2 * at[2] + 1] = even[0] - both[0], even[1] - both[1]
                z[2 * at[3]], z[2 * at[3] + 1] = odd[0] - apart[1], odd[1] + apart[0]
        size *= 4


def _turned(a: tuple[int, int], step: int, sine: "Samples") -> tuple[int, int]:
    # Times exp(-2 pi i step / 512).
    c, s = sine[step + 128], -sine[step]
    return (a[0] * c - a[1] * s + 16384) >> 15, (a[0] * s + a[1] * c + 16384) >> 15
