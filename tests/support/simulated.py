"""What sources of a simulation have in common, for nodes that run for hours in seconds. On MicroPython."""

from kittiwake_node.io import source


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
