"""The z-score in viper, n = 20 and t = 5/2, timed over samples that it is given once."""

import time
from array import array

from kittiwake_node import kernels
from kittiwake_node.detect.zscore import ZScore


class Timing:
    """What is timed.

    Args:
        samples: of one turn.
    """

    def __init__(self, samples):
        self._zscore = ZScore(kernels.load("viper"), n=20, p=5, q=2)
        self._buf = array("h", samples)

    def print_ns(self, turns):
        """Print how long some turns take.

        Args:
            turns: over all samples.
        """
        buf = self._buf
        find, size = self._zscore.find, len(buf)
        began = time.ticks_us()
        for _ in range(turns):
            find(buf, 0, size)
        print(time.ticks_diff(time.ticks_us(), began) * 1000)
