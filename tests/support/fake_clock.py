"""The one fake clock: time stands until a test moves it. Runs on MicroPython too, and allocates nothing there."""


class FakeClock:
    """As kittiwake_node.io.clock.Clock.

    Args:
        start_ms: what it shows at first, in milliseconds.
        step_us: by how many microseconds each reading of `us` moves it: what is timed takes that long.
    """

    def __init__(self, start_ms=0, step_us=0):
        self.now_us = start_ms * 1000
        self._step_us = step_us

    def pass_ms(self, span_ms):
        """Move it on, by parts of a millisecond too."""
        self.now_us += int(span_ms * 1000)

    def ms(self):
        return self.now_us // 1000

    def us(self):
        self.now_us += self._step_us
        return self.now_us

    def ahead_us(self, start_us, span_us):
        return start_us + span_us

    def since_us(self, start_us):
        return self.us() - start_us
