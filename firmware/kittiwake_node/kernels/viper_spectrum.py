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
def peak(pcm: ptr16, head: int, table: ptr16) -> int:
    """As plain_spectrum.peak. Does not allocate."""
    most = 0
    at = head
    i = 0
    while i < 480:
        x = (((pcm[at] ^ 32768) - 32768) * table[i]) >> 12
        if x < 0:
            x = 0 - x
        if x > most:
            if x != 32768:
                most = x
        at += 1
        if at == 480:
            at = 0
        i += 1
    return most


@micropython.viper
def arrange(pcm: ptr16, places: int, table: ptr16, z: ptr16):
    """As plain_spectrum.arrange. Does not allocate."""
    at = places >> 4
    shift = places & 15
    i = 0
    while i < 480:
        n = i >> 1
        to = ((n & 3) << 7) | ((n & 12) << 3) | ((n >> 1) & 24) | ((n >> 5) & 6)
        z[to] = ((((pcm[at] ^ 32768) - 32768) * table[i]) >> 12) << shift
        z[to + 1] = ((((pcm[at + 1] ^ 32768) - 32768) * table[i + 1]) >> 12) << shift
        at += 2
        if at == 480:
            at = 0
        i += 2
    n = 240
    while n < 256:
        to = ((n & 3) << 7) | ((n & 12) << 3) | ((n >> 1) & 24) | ((n >> 5) & 6)
        z[to] = 0
        z[to + 1] = 0
        n += 1


@micropython.viper
def energies(z: ptr16, sine: ptr16, out: ptr32):
    """As plain_spectrum.energies. Does not allocate."""
    k = 1
    while k < 129:
        m = 256 - k
        ar = (((z[2 * k] ^ 32768) - 32768) * 16383 + 16384) >> 15
        ai = (((z[2 * k + 1] ^ 32768) - 32768) * 16383 + 16384) >> 15
        br = (((z[2 * m] ^ 32768) - 32768) * 16383 + 16384) >> 15
        bi = ((32768 - (z[2 * m + 1] ^ 32768)) * 16383 + 16384) >> 15
        c = 32768 - (sine[k] ^ 32768)
        s = 32768 - (sine[128 - k] ^ 32768)
        dr = ar - br
        di = ai - bi
        ar += br
        ai += bi
        tr = (dr * c - di * s + 16384) >> 15
        ti = (dr * s + di * c + 16384) >> 15
        re = (ar + tr) >> 1
        im = (ai + ti) >> 1
        out[k] = re * re + im * im
        re = (ar - tr) >> 1
        im = (ti - ai) >> 1
        out[m] = re * re + im * im
        k += 1
