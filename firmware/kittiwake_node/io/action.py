"""Actions: what the board does by itself when it sees an anomaly, before anyone is told."""


class VirtualPin:
    """A pin that exists in memory only, for boards that exist only in emulation."""

    def __init__(self):
        self.level = 0
        self.rises = 0

    def set(self, level):
        """Drive the pin; counts rising edges. Does not allocate."""
        if level and not self.level:
            self.rises += 1
        self.level = level


class OutputPin:
    """A pin of the board.

    Args:
        number: as `machine.Pin` takes it.
        active_high: the level that means "anomaly".
    """

    def __init__(self, number, active_high=True):
        from machine import Pin

        self._active = 1 if active_high else 0
        self._pin = Pin(number, Pin.OUT, value=1 - self._active)

    def set(self, level):
        """Drive the pin: 1 for an anomaly. Does not allocate; may run in an interrupt."""
        self._pin.value(self._active if level else 1 - self._active)
