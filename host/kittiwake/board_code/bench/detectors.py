"""Costs of detectors over one block of samples."""

from array import array

from micropython import const

from kittiwake_node import kernels

_BLOCK = const(256)


def make_zscore(storage, kernel, n, p, q, bits, is_quiet, samples):
    """Make a search through a block, to its first alert or through all of them.

    Args:
        storage: not used.
        kernel: name of the kernels.
        n: window, samples.
        p: the threshold's numerator.
        q: the threshold's denominator.
        bits: of a sample.
        is_quiet: whether no sample is an alert.
        samples: 256.
    """
    from kittiwake_node.detect.zscore import ZScore

    if len(samples) != _BLOCK:
        raise ValueError("one block has %d samples" % _BLOCK)
    z = ZScore(kernels.load(kernel), n=n, p=p, q=q, bits=bits)
    buf = array("h" if bits == 16 else "i", samples)

    def block():
        at = 0
        while at < _BLOCK:
            at = z.find(buf, at, _BLOCK) + 1

    for _ in range(2):
        block()
    return (z.find, (buf, 0, _BLOCK)) if is_quiet else (block, ())


def make_averages(storage, module, name, kernel, samples):
    """Make a search by drift or novelty.

    It was fed long enough before that the warm-up is over, and every level and transition of the block was met.

    Args:
        storage: not used.
        module: of the detector, in `detect`.
        name: of its class.
        kernel: name of the kernels.
        samples: of the block.
    """
    module = __import__("kittiwake_node.detect." + module, None, None, (name,))
    d = getattr(module, name)(kernels.load(kernel))
    buf = array("h", samples)
    for _ in range(6):
        at = 0
        while at < len(buf):
            at = d.find(buf, at, len(buf)) + 1
    return d.find, (buf, 0, len(buf))


def make_summary(storage, kernel, samples):
    """Make a summary's feeding.

    Args:
        storage: not used.
        kernel: name of the kernels.
        samples: of the block.
    """
    from kittiwake_node.detect.summary import Summary

    buf = array("h", samples)
    return Summary(kernels.load(kernel)).feed, (buf, 0, len(buf))


def make_state(storage, module, name, settings):
    """Make a count of a detector's state, bytes.

    Args:
        storage: not used.
        module: of the detector, in `detect`.
        name: of its class.
        settings: of its constructor.
    """
    module = __import__("kittiwake_node.detect." + module, None, None, (name,))
    d = getattr(module, name)(kernels.load("viper"), **settings)

    def size():
        return len(bytes(d._state)) + len(bytes(getattr(d, "_ring", b"")))

    return size, ()
