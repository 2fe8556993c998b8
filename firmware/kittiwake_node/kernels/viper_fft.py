"""The audio front end's transform by viper. Meaning and arguments: see plain_fft."""

import micropython


@micropython.viper
def transform(z: ptr16, sine: ptr16):
    """As plain_fft.transform. Does not allocate."""
    size = 1
    while size < 256:
        step = 128 // size
        k = 0
        while k < size:
            one = k * step
            c1 = (sine[one + 128] ^ 32768) - 32768
            s1 = (sine[one] ^ 32768) - 32768
            c2 = (sine[2 * one + 128] ^ 32768) - 32768
            s2 = (sine[2 * one] ^ 32768) - 32768
            c3 = (sine[3 * one + 128] ^ 32768) - 32768
            s3 = (sine[3 * one] ^ 32768) - 32768
            i0 = 2 * k
            while i0 < 512:
                i1 = i0 + 2 * size
                i2 = i1 + 2 * size
                i3 = i2 + 2 * size
                ar = (((z[i0] ^ 32768) - 32768) * 8191 + 16384) >> 15
                ai = (((z[i0 + 1] ^ 32768) - 32768) * 8191 + 16384) >> 15
                br = (((z[i1] ^ 32768) - 32768) * 8191 + 16384) >> 15
                bi = (((z[i1 + 1] ^ 32768) - 32768) * 8191 + 16384) >> 15
                cr = (((z[i2] ^ 32768) - 32768) * 8191 + 16384) >> 15
                ci = (((z[i2 + 1] ^ 32768) - 32768) * 8191 + 16384) >> 15
                dr = (((z[i3] ^ 32768) - 32768) * 8191 + 16384) >> 15
                di = (((z[i3 + 1] ^ 32768) - 32768) * 8191 + 16384) >> 15
                if k:
                    x = (br * c1 + bi * s1 + 16384) >> 15
                    bi = (bi * c1 - br * s1 + 16384) >> 15
                    br = x
                    x = (cr * c2 + ci * s2 + 16384) >> 15
                    ci = (ci * c2 - cr * s2 + 16384) >> 15
                    cr = x
                    x = (dr * c3 + di * s3 + 16384) >> 15
                    di = (di * c3 - dr * s3 + 16384) >> 15
                    dr = x
                x = br + dr  # both
                dr = br - dr  # apart
                br = x
                x = bi + di
                di = bi - di
                bi = x
                x = ar - cr  # odd
                ar += cr  # even
                cr = x
                x = ai - ci
                ai += ci
                z[i0] = ar + br
                z[i0 + 1] = ai + bi
                z[i1] = cr + di
                z[i1 + 1] = x - dr
                z[i2] = ar - br
                z[i2 + 1] = ai - bi
                z[i3] = cr - di
                z[i3 + 1] = x + dr
                i0 += 8 * size
            k += 1
        size *= 4
