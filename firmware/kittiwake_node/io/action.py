"""Actions: what the board does by itself when it sees an anomaly, before anyone is told.

An action has a fail-safe state: its level while nobody judges the samples. It is taken before the node starts, and by
`fail_safe` when the node stops, fails or loses its sensor. Between a reset and the node's start a pin is an input,
where a resistor on the board decides: choose it to pull to that level.
"""


class VirtualPin:
    """A pin that exists in memory only, for boards that exist only in emulation.

    Args:
        safe: its fail-safe level.
    """

    def __init__(self, safe=0):
        self.level = self._safe = safe
        self.rises = 0

    def set(self, level):
        """Drive the pin; counts rising edges. Does not allocate; may run in an interrupt."""
        if level and not self.level:
            self.rises = (self.rises + 1) & 0x3FFFFFFF
        self.level = level

    def fail_safe(self):
        """Take the fail-safe level. Does not allocate; may run in an interrupt."""
        self.level = self._safe


class OutputPin:
    """A pin of the board.

    Args:
        number: as `machine.Pin` takes it.
        active_high: the level that means "anomaly".
        safe: 1 when its fail-safe level is that one too, 0 for the other.
    """

    def __init__(self, number, active_high=True, safe=0):
        from machine import Pin

        self._active = 1 if active_high else 0
        self._safe = self._active if safe else 1 - self._active
        self._pin = Pin(number, Pin.OUT, value=self._safe)

    def set(self, level):
        """Drive the pin: 1 for an anomaly. Does not allocate; may run in an interrupt."""
        self._pin.value(self._active if level else 1 - self._active)

    def fail_safe(self):
        """Take the fail-safe level. Does not allocate; may run in an interrupt."""
        self._pin.value(self._safe)
