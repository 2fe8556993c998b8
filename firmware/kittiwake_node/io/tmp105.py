"""The temperature sensor TMP105 (TMP75, LM75 with 12 bits alike) on an I2C bus that it is given.

Knows the chip's registers. Source: Texas Instruments SBOS648, sections 7.3 and 7.5.
"""

import errno

_TEMPERATURE = 0
_CONFIGURATION = 1
_TWELVE_BITS = 0x60  # R1 and R0; conversions go on by themselves


class Tmp105:
    """One sensor, set to 12 bits: a count is 1/16 °C, from -2048 to 2047 (-128 to 127.94 °C).

    Args:
        i2c: has readfrom_mem and writeto_mem, as machine.I2C.
        address: 0x48 to 0x4F, by its pins.

    Raises:
        OSError: nothing answers at that address (ENODEV).

    Attributes:
        low, high: ends of its range, in counts.
    """

    low = -2048
    high = 2047

    def __init__(self, i2c, address=0x48):
        self._i2c = i2c
        self._address = address
        i2c.writeto_mem(address, _CONFIGURATION, bytes([_TWELVE_BITS]))

    def read(self):
        """The newest conversion, in 1/16 °C. The chip makes one every 220 ms: more often, the same comes again.

        Raises:
            OSError: the sensor does not answer.
        """
        raw = self._i2c.readfrom_mem(self._address, _TEMPERATURE, 2)
        if len(raw) != 2:
            raise OSError(errno.EIO)
        count = raw[0] << 4 | raw[1] >> 4
        return count - 4096 if count & 0x800 else count
