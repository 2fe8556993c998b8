"""Costs of one channel, and of what passes between a sample and the action."""

from array import array

from micropython import const

from kittiwake_node import kernels

_REFLEX_BLOCK = const(256)


class Full:
    """A source whose samples stand in the channel's buffer already."""

    ended = False
    overruns = 0
    low = high = None
    acts = False

    def read_into(self, buf):
        """Say that the buffer is full.

        Args:
            buf: the channel's.
        """
        return len(buf)

    def time_ms(self, index):
        """Count a sample a millisecond.

        Args:
            index: of the sample.
        """
        return index


class _Owner:
    @staticmethod
    def on_alert(source, index):
        pass

    @staticmethod
    def emit(kind, number, cls, time_ms, body):
        return True


def _channel(kernel, samples):
    from kittiwake_node.config import check
    from kittiwake_node.detect import kinds
    from kittiwake_node.detect.channel import Channel
    from kittiwake_node.detect.clip import Clip
    from kittiwake_node.detect.summary import Summary

    config = check({"kernel": kernel, "channels": [{"source": {}}]})["channels"][0]
    kernel = kernels.load(kernel)
    detectors = [kinds.make(kernel, d, config["bits"]) for d in config["detectors"]]

    clip = Clip(kernel, -32768, 32767)
    size = len(samples)
    channel = Channel(0, config, Full(), Summary(kernel), clip, detectors, None, size, _Owner())
    for i in range(size):
        channel._buf[i] = samples[i]
    channel.step()
    channel.step()
    return channel


def make_channel(storage, kernel, samples):
    """Make a step of a channel as the node turns it with its defaults (n = 256, t = 11/2).

    Args:
        storage: not used.
        kernel: name of the kernels.
        samples: of one block.
    """
    return _channel(kernel, samples).step, ()


class _Acts(Exception):
    pass


def make_until_it_acts(storage, kernel, samples):
    """Make a step that ends where the action begins.

    Args:
        storage: not used.
        kernel: name of the kernels.
        samples: of one block; the last is the outlier.
    """
    channel = _channel(kernel, samples)
    Acts = _Acts

    def acts(source, index):
        raise Acts

    channel._on_alert = acts

    def until_it_acts():
        try:
            channel.step()
        except Acts:
            pass

    last = len(samples) - 1
    for _ in range(8):
        channel._buf[last] = samples[-1]
        until_it_acts()
        channel._buf[last] = samples[0]
        for _ in range(4):
            channel.step()
    channel._buf[last] = samples[-1]
    return until_it_acts, ()


class _Sensor:
    low, high = -32768, 32767

    def __init__(self, samples):
        self.samples = array("h", samples)
        self.at = 0

    def read(self):
        at = self.at
        self.at = at + 1 if at + 1 < len(self.samples) else 0
        return self.samples[at]


class _Pin:
    def set(self, level):
        self.level = level


def make_ticks(storage, kernel, samples):
    """Make ticks of a timer's interrupt, sample by sample, and the loop's reading of them all.

    Args:
        storage: not used.
        kernel: name of the kernels.
        samples: of one block, 256.
    """
    from kittiwake_node.detect.reflex import Reflex
    from kittiwake_node.detect.zscore import ZScore

    if len(samples) != _REFLEX_BLOCK:
        raise ValueError("one block has %d samples" % _REFLEX_BLOCK)
    reflex = Reflex(_Sensor(samples), ZScore(kernels.load(kernel), n=20, p=5, q=2).push, _Pin(), 1, 512)
    tick, buf = reflex.tick, array("h", bytes(1024))

    def ticks():
        reflex.read_into(buf)
        for _ in range(_REFLEX_BLOCK):
            tick()

    ticks()
    return ticks, ()
