"""The audio front end's filters, by viper. Meaning and arguments: see plain_mel.

Every product fits 31 bits: energies are below 2^28 and are gathered in two halves of 14 bits, at most 15 to a filter.
"""

import micropython


@micropython.viper
def channels(energy: ptr32, bank: ptr8, signal: ptr32, shift: int):
    """As plain_mel.channels. Does not allocate."""
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
                if root != 65535:
                    root += 1
            signal[channel - 1] = root >> shift
        channel += 1
