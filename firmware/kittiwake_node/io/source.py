"""A source: where a channel's samples come from. What a channel may ask of one, and what most sources answer."""


class Source:
    """Samples of one channel, paced by a clock, by a timer's interrupt, or by whoever sends them.

    Besides what stands here, every source has read_into(buf), which fills an array of int16 with the samples that are
    due, gives their number and never waits; time_ms(index), when a sample was taken by the clock; age_us(index),
    microseconds since then; and next_due_ms(), milliseconds until a sample may be there.

    Attributes:
        count: samples given out.
        ended: there will be no more.
        overruns: samples that were lost, or came too late.
        bus_errors: failures of the bus that a sensor is on.
        low, high: the ends of the sensor's range in LSB; None where nothing is known of it.
        acts: whether the source's interrupt judges and drives the action; else the loop does.
    """

    bus_errors = 0
    low = high = None
    acts = False

    def __init__(self):
        self.count = 0
        self.ended = False
        self.overruns = 0

    def arm(self, make_reflex):
        """Begin, once everything that judges is built.

        Args:
            make_reflex: called without arguments by a source that takes its samples in an interrupt, gives what that
                does (detect.reflex.Reflex).
        """

    def take_stimulus(self, start, samples):
        """Take samples that were sent to the node. Returns None: they come from elsewhere (see io/link_source.py)."""

    def close(self):
        """Stop: no reading and no action after this."""
