"""Costs of one channel: a block of 256 samples through z-score, events and summary, with and without alerts.

As the node turns it with its defaults (n = 256, t = 11/2), but for the source, whose samples stand in the buffer
already, and the journal behind it.
"""

from __future__ import annotations

from collections.abc import Iterator

from kittiwake.benches import Case, register
from kittiwake.benches.detectors import BLOCK, OUTLIERS, noisy_samples, quiet_samples

_CHANNEL = """
from kittiwake_node import kernels
from kittiwake_node.config import check
from kittiwake_node.core import detectors
from kittiwake_node.core.channel import Channel
from kittiwake_node.core.summary import Summary
class Full:
    ended = False
    overruns = clipped = 0
    def read_into(self, buf):
        return len(buf)
    def time_ms(self, index):
        return index
def make(storage):
    config = check({{"kernel": {kernel!r}, "channels": [{{"source": {{}}}}]}})["channels"][0]
    kernel = kernels.load({kernel!r})
    made = [detectors.make(kernel, d, config["bits"]) for d in config["detectors"]]
    def on_alert(source, index):
        pass
    def emit(kind, number, cls, time_ms, body):
        return True
    channel = Channel(0, config, Full(), made, Summary(kernel), None, {size}, on_alert, emit)
    samples = {samples}
    for i in range({size}):
        channel._buf[i] = samples[i]
    channel.step()
    channel.step()
    return channel.step, ()
"""


@register
def _channel(kernels: list[str]) -> Iterator[Case]:
    for kernel in kernels:
        if kernel == "plain":
            continue  # no node runs it
        for end, samples in (("", quiet_samples()), ("/alerts", noisy_samples(OUTLIERS))):
            source = _CHANNEL.format(kernel=kernel, size=BLOCK, samples=samples)
            yield Case(f"channel/{kernel}{end}", source, "sample", BLOCK)
