"""The audio front end's filters, by viper. Meaning and arguments: see plain_mel.

Every product fits 31 bits: energies are below 2^28 and are gathered in two halves of 14 bits, at most 15 to a filter.
"""

import micropython


@micropython.viper
def channels(energy: ptr32, bank: ptr8, signal: ptr32, shift: int):
    """As plain_mel.channels. Does not allocate."""
    widths = ptr8(uint(bank) + 1)
    weights = ptr16(uint(bank) + 42)
    energy = ptr32(uint(energy) + 4 * bank[0])
    rising_high = 0
    rising_low = 0
    channel = 0
    while channel < 41:
        high = 0
        low = 0
        total_high = 0
        total_low = 0
        width = widths[channel]
        while width:
            weight = weights[0]
            part = energy[0] >> 14
            total_high += part
            high += part * weight
            part = energy[0] & 16383
            total_low += part
            low += part * weight
            energy = ptr32(uint(energy) + 4)
            weights = ptr16(uint(weights) + 2)
            width -= 1
        # What falls here weighs 4096 with what rises, for the next channel.
        total_high = (total_high << 12) - high
        total_low = (total_low << 12) - low
        high += rising_high
        low += rising_low
        rising_high = total_high
        rising_low = total_low
        if channel:
            # The root of high * 2^14 + low, of less than 2^45, a digit at a time: of high, then of what that leaves.
            high += low >> 14
            low &= 16383
            root = 0
            digit = 1 << 28
            digit <<= 2  # its square, 2^30, which is no constant: it exceeds the small integers
            while digit > high:
                digit >>= 2
            while digit:
                part = root + digit
                root >>= 1
                if high >= part:
                    high -= part
                    root += digit
                digit >>= 2
            high = (high << 14) | low
            root <<= 14
            digit = 1 << 12
            while digit:
                part = root + digit
                root >>= 1
                if high >= part:
                    high -= part
                    root += digit
                digit >>= 2
            if high > root:
                if root != 65535:
                    root += 1
            signal[channel - 1] = root >> shift
        channel += 1
