"""The audio front end from samples to energies, by viper. Meaning and arguments: see plain_spectrum.

A load of 16 bits is unsigned here; (x ^ 32768) - 32768 gives it its sign.
"""

import micropython


@micropython.viper
def put(pcm: ptr16, buf: ptr16, start: int, places: int):
    """As plain_spectrum.put. Does not allocate."""
    at = places & 511
    for i in range(start, start + (places >> 9)):
        pcm[at] = buf[i]
        at += 1
        if at == 480:
            at = 0


@micropython.viper
def window(pcm: ptr16, head: int, table: ptr16, z: ptr16) -> int:
    """As plain_spectrum.window. Does not allocate."""
    p = ptr16(uint(pcm) + head + head)
    sizes = 0
    wraps = (480 - head) >> 3
    n = 0
    while n < 60:  # four pairs, which the last of their number's digits tells apart
        to = ptr16(uint(z) + (((n & 3) << 6) | ((n & 12) << 2) | ((n >> 2) & 12)))
        digit = 0
        while digit < 4:
            x = (((p[0] ^ 32768) - 32768) * table[0]) >> 12
            to[0] = x
            if x < 0:
                x = 0 - x
            sizes |= x
            x = (((p[1] ^ 32768) - 32768) * table[1]) >> 12
            to[1] = x
            if x < 0:
                x = 0 - x
            sizes |= x
            p = ptr16(uint(p) + 4)
            table = ptr16(uint(table) + 4)
            to = ptr16(uint(to) + 256)
            digit += 1
        n += 1
        if n == wraps:
            p = pcm
    n = 30
    while n < 542:
        z[n] = 0
        z[n + 1] = 0
        n += 32
    sizes &= 32767
    n = 15
    while sizes:
        sizes >>= 1
        n -= 1
    return n


@micropython.viper
def scale(z: ptr32, shift: int):
    """As plain_spectrum.scale. Does not allocate."""
    kept = -1 ^ (((1 << shift) - 1) << 16)  # of a pair: what one half pushes into the other is not
    i = 0
    while i < 64:
        z[0] = (z[0] << shift) & kept
        z[1] = (z[1] << shift) & kept
        z[2] = (z[2] << shift) & kept
        z[3] = (z[3] << shift) & kept
        z = ptr32(uint(z) + 16)
        i += 1


@micropython.viper
def energies(z: ptr16, sine: ptr16, out: ptr32):
    """As plain_spectrum.energies. Does not allocate.

    With u = x + 2^15: (x·16383 + 2^14) >> 15  =  (u·16383 - 536821760) >> 15, and of -x (536854528 - u·16383) >> 15.
    """
    down = ptr16(uint(z) + 1024)
    sine_down = ptr16(uint(sine) + 256)
    out_down = ptr32(uint(out) + 1024)
    k = 0
    while k < 128:
        z = ptr16(uint(z) + 4)
        down = ptr16(uint(down) - 4)
        sine = ptr16(uint(sine) + 2)
        sine_down = ptr16(uint(sine_down) - 2)
        out = ptr32(uint(out) + 4)
        out_down = ptr32(uint(out_down) - 4)
        ar = ((z[0] ^ 32768) * 16383 - 536821760) >> 15
        ai = ((z[1] ^ 32768) * 16383 - 536821760) >> 15
        br = ((down[0] ^ 32768) * 16383 - 536821760) >> 15
        bi = (536854528 - (down[1] ^ 32768) * 16383) >> 15
        c = 32768 - (sine[0] ^ 32768)
        s = 32768 - (sine_down[0] ^ 32768)
        dr = ar - br
        di = ai - bi
        ar += br
        ai += bi
        br = (dr * c - di * s + 16384) >> 15
        bi = (dr * s + di * c + 16384) >> 15
        dr = (ar + br) >> 1
        di = (ai + bi) >> 1
        out[0] = dr * dr + di * di
        dr = (ar - br) >> 1
        di = (bi - ai) >> 1
        out_down[0] = dr * dr + di * di
        k += 1
