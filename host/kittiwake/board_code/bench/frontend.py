"""Cost of the audio front end."""

from array import array

from kittiwake_node import kernels
from kittiwake_node.speech.frontend import Frontend


def make_frame(storage, kernel, samples):
    """Make one frame of 10 ms.

    Args:
        storage: not used.
        kernel: name of the kernels.
        samples: 160.
    """
    f = Frontend(kernels.load(kernel))
    buf = array("h", samples)
    for _ in range(3):
        f.feed(buf, 0, 160)
    return f.feed, (buf, 0, 160)
