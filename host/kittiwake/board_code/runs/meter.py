"""The firmware's meter of a microphone, second by second."""

from array import array
from binascii import a2b_base64

from kittiwake_node import kernels
from kittiwake_node.detect.clip import Clip
from kittiwake_node.detect.summary import Summary
from kittiwake_node.speech.meter import Meter


def make_meter(kernel):
    """Make it.

    Args:
        kernel: name of the kernels.
    """
    global _meter, _summary, _clip, _clipped
    _meter, _summary, _clip = Meter(), Summary(kernels.load(kernel)), Clip(kernels.load(kernel), -32768, 32767)
    _clipped = 0


def measure_piece(text):
    """Measure a piece of the second.

    Args:
        text: samples, in base 64.
    """
    global _clipped
    buf = array("h", a2b_base64(text))
    _summary.feed(buf, 0, len(buf))
    _clipped += _clip.count(buf, 0, len(buf))


def print_second():
    """End the second, and print state, level, offset and clipped samples in millionths."""
    global _clipped
    _meter.second(_summary, _clipped)
    _meter.watch(1, 0)
    _summary.reset()
    _clipped = 0
    print(_meter.state, _meter.level, _meter.offset, _meter.clipped_ppm)
