"""Time and sources of a simulation, for nodes that run for hours in seconds. MicroPython, like flash.py."""

from kittiwake_node.io import source


class Clock:
    """Milliseconds that a source moves; nothing takes time of its own."""

    now_ms = 0

    def ms(self):
        return self.now_ms

    def us(self):
        return 0

    def since_us(self, start_us):
        return 0


class Source(source.Source):
    """What a source is besides `read_into`: a sample a millisecond, and none is ever late."""

    clipped = count = overruns = 0
    ended = False

    def __init__(self):
        """Counts are the class's until they change."""

    def time_ms(self, index):
        return index

    def age_us(self, index):
        return 0

    def next_due_ms(self):
        return 0
