"""The audio front end from energies to features, by viper. Meaning and arguments: see plain_features.

Every product fits 31 bits: energies are below 2^28 and are gathered in two halves of 14 bits, at most 15 to a filter;
noise estimates are below 2^30 and are multiplied in two halves of 15 bits.
"""

import micropython


@micropython.viper
def channels(energy: ptr32, bank: ptr8, signal: ptr32, shift: int):
    """As plain_features.channels. Does not allocate."""
    at = bank[0]
    place = 42
    rising_high = 0
    rising_low = 0
    channel = 0
    while channel < 41:
        high = rising_high
        low = rising_low
        rising_high = 0
        rising_low = 0
        last = at + bank[1 + channel]
        while at < last:
            weight = bank[place] | (bank[place + 1] << 8)
            over = energy[at] >> 14
            under = energy[at] & 16383
            high += over * weight
            low += under * weight
            weight = 4096 - weight
            rising_high += over * weight
            rising_low += under * weight
            at += 1
            place += 2
        if channel:
            # 46 bits, two at a time from the top: x = high * 2^14 + low, with low brought below 2^14.
            high += low >> 14
            low &= 16383
            is_long = high >> 18
            root = 0
            rest = 0
            at_bit = 30
            while at_bit >= 0:
                rest = (rest << 2) | ((high >> at_bit) & 3)
                root <<= 1
                if rest > root * 2:
                    rest -= root * 2 + 1
                    root += 1
                at_bit -= 2
            at_bit = 12
            while at_bit >= 0:
                rest = (rest << 2) | ((low >> at_bit) & 3)
                root <<= 1
                if rest > root * 2:
                    rest -= root * 2 + 1
                    root += 1
                at_bit -= 2
            if rest > root:
                if root != 65535 or is_long:
                    root += 1
            signal[channel - 1] = root >> shift
        channel += 1


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
