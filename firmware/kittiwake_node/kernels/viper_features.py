"""The audio front end from channels to features, by viper. Meaning and arguments: see plain_features.

Every product fits 31 bits: noise estimates are below 2^30 and are multiplied in two halves of 15 bits.
"""

import micropython


@micropython.viper
def finish(signal: ptr32, noise: ptr32, tables: ptr8, features: ptr16):
    """As plain_features.finish. Does not allocate."""
    c = 0
    while c < 40:
        s = signal[c]
        smoothing = 409
        if c & 1:
            smoothing = 983
        scaled = s << 10
        old = noise[c]
        high = (scaled >> 15) * smoothing + (old >> 15) * (16384 - smoothing)
        low = (scaled & 32767) * smoothing + (old & 32767) * (16384 - smoothing)
        x = (high << 1) + (low >> 14)
        noise[c] = x
        left = (s * 819) >> 14
        if scaled > x:
            scaled = (scaled - x) >> 10
            if scaled > left:
                left = scaled
        # PCAN's gain for the noise x.
        if x < 2:
            place = 260 + 2 * x
            gain = ((tables[place] | (tables[place + 1] << 8)) ^ 32768) - 32768
        else:
            bits = 1
            part = x
            if part >> 16:
                part >>= 16
                bits = 17
            if part >> 8:
                part >>= 8
                bits += 8
            if part >> 4:
                part >>= 4
                bits += 4
            while part > 1:
                part >>= 1
                bits += 1
            place = 264 + 6 * (bits - 2)
            gain = ((tables[place] | (tables[place + 1] << 8)) ^ 32768) - 32768
            if x > 2:
                if bits < 11:
                    part = (x << (11 - bits)) & 1023
                else:
                    part = (x >> (bits - 11)) & 1023
                slope = ((tables[place + 2] | (tables[place + 3] << 8)) ^ 32768) - 32768
                bend = ((tables[place + 4] | (tables[place + 5] << 8)) ^ 32768) - 32768
                gain += ((((bend * part) >> 5) + (slope << 5)) * part + 16384) >> 15
        x = (left >> 6) * gain + (((left & 63) * gain) >> 6)
        if x < 8192:
            x = (x * x) >> 20
        else:
            x = (x >> 6) - 64
        x <<= 3
        # 64 times the natural logarithm.
        if x < 2:
            features[c] = 0
        else:
            bits = 0
            part = x
            if part >> 16:
                part >>= 16
                bits = 16
            if part >> 8:
                part >>= 8
                bits += 8
            if part >> 4:
                part >>= 4
                bits += 4
            while part > 1:
                part >>= 1
                bits += 1
            part = x - (1 << bits)
            if bits < 16:
                part <<= 16 - bits
            else:
                part >>= bits - 16
            place = (part >> 9) << 1
            low = tables[place] | (tables[place + 1] << 8)
            high = tables[place + 2] | (tables[place + 3] << 8)
            x = (bits << 16) + part + low + (((high - low) * (part & 511)) >> 16)
            x = (45426 * (x >> 8) + ((45426 * (x & 255) + 32768) >> 8)) >> 8
            features[c] = ((x << 6) + 32768) >> 16
        c += 1
