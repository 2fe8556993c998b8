"""A TMP105 temperature sensor on an I2C bus. Source: Texas Instruments SBOS648, register maps."""

_TEMPERATURE, _CONFIGURATION = 0, 1
_TWELVE_BITS = 0x60


class Tmp105:
    """The sensor, set to its finest resolution.

    Args:
        bus: with `readfrom_mem` and `writeto_mem`, as machine.I2C has them.
        address: of the sensor.
    """

    def __init__(self, bus, address=0x48):
        self._bus, self._address = bus, address
        bus.writeto_mem(address, _CONFIGURATION, bytes([_TWELVE_BITS]))

    def read_sixteenths(self):
        """Read the temperature in sixteenths of a degree Celsius."""
        high, low = self._bus.readfrom_mem(self._address, _TEMPERATURE, 2)
        value = (high << 8 | low) >> 4
        return value - 4096 if value & 0x800 else value
