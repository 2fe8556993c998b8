"""Parity of the detectors with a recursive state (drift, novelty): a board's program and the comparison."""

import base64
import random
from array import array

PROGRAM = """
from array import array
from binascii import a2b_base64, crc32
from kittiwake_node import kernels

def parity_start(module, name, kernel, settings):
    global detector, fed
    made = getattr(__import__("kittiwake_node.detect." + module, None, None, (name,)), name)
    detector = made(kernels.load(kernel), **settings)
    fed = 0

def parity_feed(text, blocks):
    global fed
    buf = array("h", a2b_base64(text))
    at = 0
    k = 0
    while at < len(buf):
        stop = min(len(buf), at + blocks[k % len(blocks)])
        k += 1
        if stop == at + 1 and k % 2:
            if detector.push(buf[at]):
                print(fed + at)
            at = stop
            continue
        while at < stop:
            at = detector.find(buf, at, stop)
            if at < stop:
                print(fed + at)
                at += 1
    fed += at
    print("state", crc32(bytes(detector._state)), detector.figures())
"""

CHUNK = 4096


def run(board, module: str, name: str, kernel: str, samples: list[int], settings: dict, seed: int = 0) -> list[str]:
    """Run a series through a detector on a board, in random blocks from one sample up; returns the printed lines."""
    chance = random.Random(seed)
    board.exec(PROGRAM)
    board.exec(f"parity_start({module!r}, {name!r}, {kernel!r}, {settings!r})")
    lines = []
    for start in range(0, len(samples), CHUNK):
        text = base64.b64encode(array("h", samples[start : start + CHUNK]).tobytes()).decode()
        blocks = [chance.choice((1, 1, 2, 3, 7, 64, 256, chance.randint(1, 700))) for _ in range(23)]
        lines += board.exec(f"parity_feed({text!r}, {blocks})").splitlines()
    return lines


def expected(samples: list[int], reference) -> tuple[list[str], list[str]]:
    """Return what a board must print, by the reference: detections, and the figures after each chunk.

    Args:
        samples: the series.
        reference: fresh reference detector with push(x) -> bool, fast, slow, variance.
    """
    found, figures = [], []
    for index, x in enumerate(samples):
        if reference.push(x):
            found.append(str(index))
        if (index + 1) % CHUNK == 0 or index + 1 == len(samples):
            figures.append(f"({reference.fast}, {reference.slow}, {reference.variance})")
    return found, figures


def split(lines: list[str]) -> tuple[list[str], list[str], list[str]]:
    """Part what `run` returned into detections, state checksums and figures."""
    states = [line.split(" ", 2) for line in lines if line.startswith("state")]
    return [x for x in lines if not x.startswith("state")], [s[1] for s in states], [s[2] for s in states]
