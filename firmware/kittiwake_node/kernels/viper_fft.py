"""The audio front end's transform by viper. Meaning and arguments: see plain_fft.

A quarter of a 16-bit x: with u = x + 2^15, (x·8191 + 2^14) >> 15  =  (u·8191 - 268386304) >> 15.
"""

import micropython


@micropython.viper
def transform(z: ptr16, sine: ptr16):
    """As plain_fft.transform. Does not allocate."""
    size = 1
    while size < 256:
        step = 128 // size
        leg = 4 * size  # bytes from one point of a butterfly to the next
        k = 0
        while k < size:
            one = k * step
            c1 = (sine[one + 128] ^ 32768) - 32768
            s1 = (sine[one] ^ 32768) - 32768
            c2 = (sine[2 * one + 128] ^ 32768) - 32768
            s2 = (sine[2 * one] ^ 32768) - 32768
            c3 = (sine[3 * one + 128] ^ 32768) - 32768
            s3 = (sine[3 * one] ^ 32768) - 32768
            p0 = ptr16(uint(z) + 4 * k)
            end = uint(p0) + 1024
            while uint(p0) != end:
                p1 = ptr16(uint(p0) + leg)
                p2 = ptr16(uint(p1) + leg)
                p3 = ptr16(uint(p2) + leg)
                br = ((p1[0] ^ 32768) * 8191 - 268386304) >> 15
                bi = ((p1[1] ^ 32768) * 8191 - 268386304) >> 15
                cr = ((p2[0] ^ 32768) * 8191 - 268386304) >> 15
                ci = ((p2[1] ^ 32768) * 8191 - 268386304) >> 15
                dr = ((p3[0] ^ 32768) * 8191 - 268386304) >> 15
                di = ((p3[1] ^ 32768) * 8191 - 268386304) >> 15
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
                x = ((p0[0] ^ 32768) * 8191 - 268386304) >> 15
                y = x - cr  # odd
                x += cr  # even
                p0[0] = x + br
                p2[0] = x - br
                p1[0] = y + di
                p3[0] = y - di
                x = ((p0[1] ^ 32768) * 8191 - 268386304) >> 15
                y = x - ci
                x += ci
                p0[1] = x + bi
                p2[1] = x - bi
                p1[1] = y - dr
                p3[1] = y + dr
                p0 = ptr16(uint(p3) + leg)
            k += 1
        size *= 4
