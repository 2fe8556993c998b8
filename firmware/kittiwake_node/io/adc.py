"""The board's analog-to-digital converter as a sensor that a timer reads (io/ticked.py)."""


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


def open_adc(given, bits):
    """An Adc by its settings (config_source.py).

    Raises:
        ValueError: the board has no converter at that pin.
    """
    from machine import ADC, Pin

    pin = given["pin"]
    named = Pin(pin)
    try:
        if given["atten_db"]:
            # ESP32: the input's range. Its constants are named by the attenuation in dB.
            level = {2: "ATTN_2_5DB", 6: "ATTN_6DB", 11: "ATTN_11DB"}[given["atten_db"]]
            return Adc(ADC(named, atten=getattr(ADC, level)), bits)
        return Adc(ADC(named), bits)
    except (AttributeError, TypeError):
        raise ValueError("this board's converter has no attenuation; leave atten_db out")
