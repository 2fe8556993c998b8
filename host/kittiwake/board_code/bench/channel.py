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


class _Still:
    """A clock for what need not wait: a network works without a pause."""

    @staticmethod
    def us():
        return 0

    @staticmethod
    def since_us(earlier):
        return 0


class _NoNetwork:
    """Takes a block and does nothing with it."""

    @staticmethod
    def begin(data):
        pass


def _states(kernel, samples, plan_name):
    from kittiwake_node.io import model_file

    plan = model_file.read_plan(plan_name)  # the largest piece, before imports leave gaps
    from kittiwake_node.config import check
    from kittiwake_node.detect.clip import Clip
    from kittiwake_node.detect.state_judge import StateJudge
    from kittiwake_node.detect.state_note import StateNote
    from kittiwake_node.detect.states import States
    from kittiwake_node.detect.summary import Summary
    from kittiwake_node.network import Network

    channel = {"kind": "states", "source": {}, "states": {"model": plan_name}}
    config = check({"kernel": kernel, "channels": [channel]})["channels"][0]
    kernel = kernels.load(kernel)
    settings = config["states"]
    judge = StateJudge(kernel, StateNote(plan), Network(plan, kernel), settings["blocks"], settings["margin"])
    clip, size = Clip(kernel, -32768, 32767), len(samples)
    channel = States(0, config, Full(), Summary(kernel), clip, [], None, size, _Owner(), judge, _Still())
    for i in range(size):
        channel._buf[i] = samples[i]
    return channel


def make_states(storage, kernel, samples, plan_name):
    """Make the steps of a channel that tells states, from one of its blocks judged to the next.

    Args:
        storage: not used.
        kernel: name of the kernels.
        samples: that the channel takes at once; a whole number of times they are a block of the network.
        plan_name: file of a plan that tells states.
    """
    channel = _states(kernel, samples, plan_name)
    step, steps = channel.step, channel.judge.block // len(samples) + 1

    def block():
        for _ in range(steps):
            step()

    for _ in range(4):
        block()
    return block, ()


def make_block_of_states(storage, kernel, samples, plan_name):
    """Make a block of samples as the network takes it: kept, its mean, and the network's input.

    Args:
        storage: not used.
        kernel: name of the kernels.
        samples: that come at once; a whole number of times they are a block of the network.
        plan_name: file of a plan that tells states.
    """
    channel = _states(kernel, samples, plan_name)
    judge, buf, size = channel.judge, channel._buf, len(samples)
    judge._network = _NoNetwork
    feed, pieces = judge.feed, judge.block // size

    def block():
        for _ in range(pieces):
            feed(buf, 0, size)

    block()
    return block, ()
