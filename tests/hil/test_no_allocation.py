"""With the heap locked: the detectors' hot calls must not allocate, which only a 32-bit board shows."""

import pytest

from kittiwake.bench import cases
from kittiwake.errors import TargetError

# Full-scale square waves and noise: the largest values that the sums can take, and many alerts.
_SETUP = """
import gc, micropython
from array import array
from kittiwake_node import kernels
from kittiwake_node.detect.summary import Summary
from kittiwake_node.detect.zscore import ZScore
def _samples():
    x, out = 1, []
    for i in range(512):
        x = (x * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(-32768 if i % 97 == 0 else 32767 if i % 101 == 0 else (x >> 16) % 2000 - 1000)
    return array('h', out)
samples = _samples()
n = len(samples)
"""
_FIND = """
z = ZScore(kernels.load({kernel!r}), n=20, p=5, q=2)
seen = array('h', bytes(2 * n))
def run():
    at = count = 0
    while at < n:
        at = z.find(samples, at, n)
        if at < n:
            seen[count] = at
            count += 1
            at += 1
    return count
"""
_PUSH = """
z = ZScore(kernels.load({kernel!r}), n=20, p=5, q=2)
def run():
    count = 0
    for i in range(n):
        if z.push(samples[i]):
            count += 1
    return count
"""
_FEED = """
s = Summary(kernels.load({kernel!r}))
def run():
    s.feed(samples, 0, n)
    s.feed(samples, 7, n - 7)
    return s.count
"""
_WIDE = """
wide = array('i', [x * 256 for x in samples])
z = ZScore(kernels.load({kernel!r}), n=20, p=5, q=2, bits=24, lagged={lagged}, floor=3)
s = Summary(kernels.load({kernel!r}), 24)
def run():
    at = count = 0
    while at < n:
        at = z.find(wide, at, n)
        if at < n:
            count += 1
            at += 1
    s.feed(wide, 0, n)
    return count
"""
_HEAR = """
from kittiwake_node.speech.frontend import Frontend
f = Frontend(kernels.load({kernel!r}))
def run():
    count, at = 0, 0
    for _ in range(5):
        at = 0
        while at < n:
            at = f.feed(samples, at, min(n, at + 97))
            count += f.features[0]
    return count
"""
_LOCKED = """
got = run()
gc.collect()
micropython.heap_lock()
try:
    got = run()
finally:
    micropython.heap_unlock()
print(got)
"""


def kernels_without_plain(board):
    facts = board.facts()
    names = [name for name in cases.kernels_of(facts["arch"], facts["cpu"]) if name != "plain"]
    assert names
    return names


@pytest.mark.parametrize(
    ("what", "source", "least"),
    [
        ("find", _FIND, 5),
        ("push", _PUSH, 5),
        ("feed", _FEED, 1000),
        ("hear", _HEAR, 1000),
        ("wide", _WIDE.replace("{lagged}", "False"), 5),
        ("wide-lagged", _WIDE.replace("{lagged}", "True"), 5),
    ],
)
def test_detector_with_the_heap_locked_works(board, what, source, least):
    for kernel in kernels_without_plain(board):
        board.exec(_SETUP + source.format(kernel=kernel))
        assert int(board.exec(_LOCKED)) >= least, kernel


def test_plain_kernel_with_the_heap_locked_fails_on_32_bits(board):
    """Shows that the tests above can fail: the plain kernel's products are no small integers there."""
    board.exec(_SETUP + _FIND.format(kernel="plain"))
    if board.exec("import sys\nprint(sys.maxsize > 1 << 32)") == "True\n":
        assert int(board.exec(_LOCKED)) >= 5
        return
    with pytest.raises(TargetError, match="MemoryError|heap is locked"):
        board.exec(_LOCKED)
