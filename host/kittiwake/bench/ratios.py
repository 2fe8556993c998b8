"""Ratios: the firmware's z-score beside the guide's detector in CPython, and beside a C version of the exact test.

All three in one run, over the same samples, n = 20 and t = 5/2. It knows how to time; the board is the unix port, whose
processor is this machine's own.
"""

from __future__ import annotations

import ctypes
import shutil
import statistics
import subprocess
import tempfile
import time
from array import array
from collections import deque
from collections.abc import Callable
from pathlib import Path

from kittiwake import board_code
from kittiwake.bench.cases.detectors import quiet_samples
from kittiwake.bench.measure import Row
from kittiwake.target.base import Target

GUIDE_LEAST = 200  # CPython's time over viper's
C_MOST = 15  # viper's over C's
_N = 20
_ROUNDS = 7
_LONG_ENOUGH_NS = 20_000_000
# From the definition: q²(n - 1)D² > p²nV with D = nx - S, V = nQ - S², running sums, 64 bits (16-bit samples need 52).
_C = """
#include <stddef.h>
#include <stdint.h>
enum { N = 20, P = 5, Q = 2 };
static int16_t ring[N];
static int64_t sum, sum_sq;
static size_t seen;
size_t find(const int16_t *x, size_t count) {
    size_t alerts = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t old = ring[seen % N], now = x[i];
        ring[seen % N] = x[i];
        sum += now - old;
        sum_sq += now * now - old * old;
        if (++seen < N) {
            continue;
        }
        int64_t d = N * now - sum, v = N * sum_sq - sum * sum;
        alerts += v && (int64_t)Q * Q * (N - 1) * d * d > (int64_t)P * P * N * v;
    }
    return alerts;
}
"""


class Guide:
    """The guide's detector as it stands there: a deque of the last n values, `statistics`, floats."""

    def __init__(self, n: int = _N, t: float = 2.5):
        self._n = n
        self._window: deque[float] = deque(maxlen=n)
        self._t = t

    def push(self, value: float) -> bool:
        """Take one reading.

        Args:
            value: in the sensor's unit.

        Returns:
            Whether it is an anomaly.
        """
        self._window.append(value)
        if len(self._window) < self._n:
            return False
        mean = statistics.mean(self._window)
        stdev = statistics.stdev(self._window)
        return stdev > 0 and abs((value - mean) / stdev) > self._t


def run(board: Target) -> list[Row]:
    """Time the three in turns, so that what else the machine does meets all of them; the best of each counts.

    Args:
        board: started, the unix port.

    Returns:
        Rows with nanoseconds a sample of each, and the ratios; without gcc, a ratio is less and a row says so.
    """
    samples = quiet_samples()
    board.exec(board_code.source("bench/viper_ratio"))
    board.exec(f"timing = {board_code.call('Timing', samples)}")
    guide, readings = Guide(), [float(x) for x in samples]
    timed: dict[str, Callable[[int], int]] = {
        "guide": lambda turns: _time(turns, lambda: [guide.push(x) for x in readings]),
        "viper": lambda turns: int(board.exec(f"timing.print_ns({turns})", 60.0)),
    }
    with tempfile.TemporaryDirectory(prefix="kittiwake-c-") as folder:
        compiled = compile_c(Path(folder))
        if compiled is not None:
            data = array("h", samples)
            address = data.buffer_info()[0]
            timed["c"] = lambda turns: _time(turns, lambda: compiled(address, len(data)))
        turns = {name: _turns(function) for name, function in timed.items()}
        best = dict.fromkeys(timed, float("inf"))
        for _ in range(_ROUNDS):
            for name, function in timed.items():
                best[name] = min(best[name], function(turns[name]) / turns[name] / len(samples))
    rows = [Row(f"ratio/{name}", round(ns, 2), "ns", "sample", None, None) for name, ns in best.items()]
    ratio = best["guide"] / best["viper"]
    rows.append(
        Row("ratio/guide-to-viper", round(ratio, 1), "times", "sample", GUIDE_LEAST, ratio >= GUIDE_LEAST, None, True)
    )
    if "c" in best:
        ratio = best["viper"] / best["c"]
        rows.append(Row("ratio/viper-to-c", round(ratio, 1), "times", "sample", C_MOST, ratio <= C_MOST))
    return rows


def _time(turns: int, work: Callable[[], object]) -> int:
    began = time.perf_counter_ns()
    for _ in range(turns):
        work()
    return time.perf_counter_ns() - began


def _turns(function: Callable[[int], int]) -> int:
    """Turns that take long enough for the clocks' grain not to matter."""
    turns = 1
    while function(turns) < _LONG_ENOUGH_NS:
        turns *= 2
    return turns


def compile_c(folder: Path) -> Callable[[int, int], int] | None:
    """Build the C version with `gcc -O2`.

    Args:
        folder: for the source and the library.

    Returns:
        A function of (address of int16 samples, count) that returns the alerts among them, its window going on from
        call to call; None where there is no gcc.
    """
    gcc = shutil.which("gcc")
    if gcc is None:
        return None
    source, library = folder / "zscore.c", folder / "zscore.so"
    source.write_text(_C)
    subprocess.run([gcc, "-O2", "-shared", "-fPIC", "-o", str(library), str(source)], check=True, timeout=60)
    find = ctypes.CDLL(str(library)).find
    find.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    find.restype = ctypes.c_size_t
    function: Callable[[int, int], int] = find
    return function
