"""The board's analog-to-digital converter as a sensor that a timer reads (io/ticked.py)."""

from ..errors import ConfigError


class Adc:
    """One input.

    Args:
        adc: has read_u16(), 0 to 65535 over the input's range, as machine.ADC; most converters have 12 bits of it.
        bits: of a sample, 8 to 16.

    Attributes:
        low, high: the ends of the range, which is -2^(bits - 1) to 2^(bits - 1) - 1: half of it is zero volts up.
    """

    def __init__(self, adc, bits):
        self._read_u16 = adc.read_u16
        self._shift = 16 - bits
        self._middle = 1 << (bits - 1)
        self.low = -self._middle
        self.high = self._middle - 1

    def read(self):
        """One conversion, some microseconds. Does not allocate; may run in an interrupt where machine.ADC may."""
        return (self._read_u16() >> self._shift) - self._middle


def open_adc(settings, bits):
    """An input of the converter.

    Args:
        settings: "pin", and "atten_db" (0 where it is absent); see config_sensor.py.
        bits: of a sample, 8 to 16.

    Raises:
        ConfigError: the board has no converter at that pin.
    """
    try:
        return Adc(_machine_adc(settings["pin"], settings.get("atten_db", 0)), bits)
    except (ImportError, KeyError, ValueError) as error:
        raise ConfigError("source.pin", "no converter there (%s)" % error)


def _machine_adc(pin, atten_db):
    from machine import ADC, Pin

    named = Pin(pin)
    try:
        if atten_db:
            # ESP32: the input's range. Its constants are named by the attenuation in dB.
            level = {2: "ATTN_2_5DB", 6: "ATTN_6DB", 11: "ATTN_11DB"}[atten_db]
            return ADC(named, atten=getattr(ADC, level))
        return ADC(named)
    except (AttributeError, TypeError):
        raise ValueError("this board's converter has no attenuation; leave atten_db out")
