"""Costs of one channel: a block of 256 samples through z-score, events and summary, with and without alerts; and what
passes between a sample and the action, in the loop and in an interrupt.

As the node turns it with its defaults (n = 256, t = 11/2), but for the source, whose samples stand in the buffer
already, and the journal behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.bench.cases.detectors import BLOCK, OUTLIERS, noisy_samples, quiet_samples
from kittiwake.bench.cases.registry import Case, register

_CHANNEL = """
from kittiwake_node import kernels
from kittiwake_node.config import check
from kittiwake_node.detect import kinds as detectors
from kittiwake_node.detect.channel import Channel
from kittiwake_node.detect.clip import Clip
from kittiwake_node.detect.summary import Summary
class Full:
    ended = False
    overruns = 0
    low = high = None
    acts = False
    def read_into(self, buf):
        return len(buf)
    def time_ms(self, index):
        return index
def make(storage):
    config = check({{"kernel": {kernel!r}, "channels": [{{"source": {{}}}}]}})["channels"][0]
    kernel = kernels.load({kernel!r})
    made = [detectors.make(kernel, d, config["bits"]) for d in config["detectors"]]
    class Owner:
        @staticmethod
        def on_alert(source, index):
            pass
        @staticmethod
        def emit(kind, number, cls, time_ms, body):
            return True
    clip = Clip(kernel, -32768, 32767)
    channel = Channel(0, config, Full(), Summary(kernel), clip, made, None, {size}, Owner())
    samples = {samples}
    for i in range({size}):
        channel._buf[i] = samples[i]
    channel.step()
    channel.step()
    return channel.step, ()
"""

# The node's default block, its last sample the outlier; what is measured ends where the action begins.
_NODE_BLOCK = 64
_LOOP = """
    class Acts(Exception):
        pass
    def acts(source, index):
        raise Acts
    channel._on_alert = acts
    def until_it_acts():
        try:
            channel.step()
        except Acts:
            pass
    for _ in range(8):
        channel._buf[{size} - 1] = samples[-1]
        until_it_acts()
        channel._buf[{size} - 1] = samples[0]
        for _ in range(4):
            channel.step()
    channel._buf[{size} - 1] = samples[-1]
    return until_it_acts, ()
"""
_REFLEX = """
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.reflex import Reflex
from kittiwake_node.detect.zscore import ZScore
class Sensor:
    low, high = -32768, 32767
    def __init__(self, samples):
        self.samples = array('h', samples)
        self.at = 0
    def read(self):
        at = self.at
        self.at = at + 1 if at + 1 < len(self.samples) else 0
        return self.samples[at]
class Pin:
    def set(self, level):
        self.level = level
def make(storage):
    reflex = Reflex(Sensor({samples}), ZScore(kernels.load({kernel!r}), n=20, p=5, q=2).push, Pin(), 1, 512)
    tick, buf = reflex.tick, array('h', bytes(1024))
    def ticks():
        reflex.read_into(buf)
        for _ in range({size}):
            tick()
    ticks()
    return ticks, ()
"""


@register
def _channel(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        if kernel == "plain":
            continue  # no node runs it
        for end, samples in (("", quiet_samples()), ("/alerts", noisy_samples(OUTLIERS))):
            source = _CHANNEL.format(kernel=kernel, size=BLOCK, samples=samples)
            yield Case(f"channel/{kernel}{end}", source, "sample", BLOCK)


@register
def _to_the_action(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        if kernel == "plain":
            continue  # allocates, so no interrupt runs it
        samples = quiet_samples()[: _NODE_BLOCK - 1] + [7000]
        head = _CHANNEL.format(kernel=kernel, size=_NODE_BLOCK, samples=samples).replace(
            "    return channel.step, ()", ""
        )
        yield Case(f"action/loop/{kernel}", head.rstrip() + _LOOP.format(size=_NODE_BLOCK), "alert", allocates=True)
        source = _REFLEX.format(kernel=kernel, size=BLOCK, samples=noisy_samples(20))
        yield Case(f"action/interrupt/{kernel}", source, "sample", BLOCK)
