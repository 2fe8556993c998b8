"""The z-score's parity: a program for the board, and the comparison of what it prints with the reference."""

import base64
import random
from array import array
from fractions import Fraction

from kittiwake.reference import zscore as reference

PROGRAM = """
from array import array
from binascii import a2b_base64, crc32
from kittiwake_node import kernels
from kittiwake_node.detect.zscore import ZScore

def parity_start(kernel, n, p, q, bits, settings):
    global detector, fed, typecode, lagged
    lagged = settings.get("lagged")
    typecode = "h" if bits <= 16 else "i"
    detector = ZScore(kernels.load(kernel), n=n, p=p, q=q, bits=bits, **settings)
    fed = 0

def report(at):
    z = detector
    sums = z.tested() if lagged else (z.sum, z.sum_sq)
    print(fed + at, z.x, sums[0], sums[1], z.window_min(), z.window_max())

def parity_feed(text, blocks):
    global fed
    buf = array(typecode, a2b_base64(text))
    at = 0
    z = detector
    k = 0
    while at < len(buf):
        stop = min(len(buf), at + blocks[k % len(blocks)])
        k += 1
        if stop == at + 1 and k % 2:
            if z.push(buf[at]):
                report(at)
            at = stop
            continue
        while at < stop:
            at = z.find(buf, at, stop)
            if at < stop:
                report(at)
                at += 1
    fed += at
    z.find(buf, 0, 0)
    print("state", crc32(bytes(z._state)[:52]), crc32(bytes(z._ring)), z.count, z.sum, z.sum_sq)
"""

CHUNK = 4096


def run(
    board,
    kernel: str,
    samples: list[int],
    n: int,
    t: Fraction,
    bits: int = 16,
    settings: dict | None = None,
    seed: int = 0,
) -> list[str]:
    """Run a series through the firmware on a board, in random blocks from one sample up.

    Returns:
        The lines the board printed: one for each alert, and one for the state after each chunk of CHUNK samples.
    """
    chance = random.Random(seed)
    board.exec(PROGRAM)
    board.exec(f"parity_start({kernel!r}, {n}, {t.numerator}, {t.denominator}, {bits}, {settings or {}})")
    lines = []
    for start in range(0, len(samples), CHUNK):
        data = array("h" if bits <= 16 else "i", samples[start : start + CHUNK]).tobytes()
        text = base64.b64encode(data).decode()
        blocks = [chance.choice((1, 1, 2, 3, 7, n, 256, chance.randint(1, 700))) for _ in range(23)]
        lines += board.exec(f"parity_feed({text!r}, {blocks})").splitlines()
    return lines


def expected(samples: list[int], n: int, t: Fraction, settings: dict | None = None) -> list[str]:
    """Return the alert lines that `run` must have printed, by the reference."""
    lines = []
    if settings and settings.get("lagged"):
        found = reference.lagged_alerts(samples, n, t, settings.get("floor", 1))
    else:
        found = reference.alerts(samples, n, t)
    for alert in found:
        window = samples[alert.index - n + 1 : alert.index + 1]
        lines.append(f"{alert.index} {alert.x} {alert.sum} {alert.sum_sq} {min(window)} {max(window)}")
    return lines


def sums(samples: list[int], n: int) -> list[str]:
    """Return count, sum and sum of squares of the window after each chunk, by definition, as `run` prints them."""
    ends = [min(start + CHUNK, len(samples)) for start in range(0, len(samples), CHUNK)]
    windows = [samples[max(0, end - n) : end] for end in ends]
    return [f"{len(w)} {sum(w)} {sum(x * x for x in w)}" for w in windows]


def split(lines: list[str]) -> tuple[list[str], list[str]]:
    """Part what `run` returned into alerts and states."""
    return [x for x in lines if not x.startswith("state")], [x for x in lines if x.startswith("state")]
