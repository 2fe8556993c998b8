"""Answers of the suites over signals: detectors and the front end, by the kernels that the board runs."""

import binascii
from array import array

_kernel = chosen  # noqa: F821 - of verify/chosen, which the board has before this


def _samples(text, bits=16):
    return array("h" if bits < 17 else "i", binascii.a2b_base64(text))


def _feed(detector, samples, piece, limit, tell):
    """Print the first detections, how many there are, and the CRC-32 of them all."""
    at = count = crc = 0
    while at < len(samples):
        stop = min(at + piece, len(samples))
        while at < stop:
            at = detector.find(samples, at, stop)
            if at < stop:
                text = tell(at)
                if count < limit:
                    print(text, end="")
                crc = binascii.crc32(text.encode(), crc)
                count += 1
                at += 1
    print("%d of %d %08x" % (count, len(samples), crc), end=" ")


def zscore(argument):
    """Print alerts with their sums, and the sums in the end.

    Args:
        argument: kernel, n, p, q, bits, floor or None, samples a call, detections shown, samples.
    """
    from kittiwake_node.detect.zscore import ZScore

    kernel, n, p, q, bits, floor, piece, limit, text = argument
    lagged = floor is not None
    z = ZScore(_kernel(kernel), n=n, p=p, q=q, bits=bits, lagged=lagged, floor=floor or 0)

    def tell(at):
        return "%d:%d:%d " % ((at,) + (z.tested() if lagged else (z.sum, z.sum_sq)))

    _feed(z, _samples(text, bits), piece, limit, tell)
    print(z.count, z.sum, z.sum_sq)


def drift(argument):
    """Print detections, means and variance.

    Args:
        argument: kernel, settings, samples a call, detections shown, samples.
    """
    from kittiwake_node.detect.drift import Drift

    _averages(Drift, argument)


def novelty(argument):
    """Print detections, means and variance.

    Args:
        argument: as of `drift`.
    """
    from kittiwake_node.detect.novelty import Novelty

    _averages(Novelty, argument)


def _averages(make, argument):
    kernel, settings, piece, limit, text = argument
    detector = make(_kernel(kernel), **settings)
    _feed(detector, _samples(text), piece, limit, lambda at: "%d " % at)
    print(*detector.figures())


def baseline(argument):
    """Print anomalies with their features, and the blocks learned.

    Args:
        argument: kernel, samples of a block, blocks to learn, features, p, q, samples a call, detections shown,
            samples.
    """
    from kittiwake_node.detect.baseline import Baseline

    kernel, block, learn, features, p, q, piece, limit, text = argument
    b = Baseline(_kernel(kernel), block, learn, features, p, q)
    _feed(b, _samples(text), piece, limit, lambda at: "%d:%s " % (at, b.feature))
    print(b.learned_blocks)


def summary(argument):
    """Print count, extremes and sums.

    Args:
        argument: kernel, bits, samples a call, samples.
    """
    from kittiwake_node.detect.summary import Summary

    kernel, bits, piece, text = argument
    s = Summary(_kernel(kernel), bits)
    samples = _samples(text, bits)
    for at in range(0, len(samples), piece):
        s.feed(samples, at, min(at + piece, len(samples)))
    print(s.count, s.min, s.max, s.sum, s.sum_sq)


def frontend(argument):
    """Print how many frames of features came, the CRC-32 of them all, and the first eight of the last.

    Args:
        argument: kernel, samples a call, samples.
    """
    from kittiwake_node.speech.frontend import Frontend

    kernel, piece, text = argument
    f = Frontend(_kernel(kernel))
    samples = _samples(text)
    at = count = crc = 0
    remaining = 480
    while at < len(samples):
        stop = min(at + piece, len(samples))
        while at < stop:
            new = f.feed(samples, at, stop)
            remaining -= new - at
            at = new
            if not remaining:
                remaining = 160
                count += 1
                crc = binascii.crc32(f.features, crc)
    print(count, "%08x" % (crc & 0xFFFFFFFF), list(f.features)[:8])
