"""Payloads of what detectors found: an anomaly by each kind, and a disturbance (docs/spec/record.md).

As in payload.py: each `pack_*` returns bytes and allocates, each `unpack_*` returns a dict with the names used there.
"""

import struct

from ..errors import FrameError
from .payload import unpack

ZSCORE = 1
DRIFT = 2
NOVELTY = 3
BASELINE = 4
DETECTORS = {ZSCORE: "zscore", DRIFT: "drift", NOVELTY: "novelty", BASELINE: "baseline"}

# Flags of an anomaly.
CLIPPED = 1  # the sample stood at an end of its type's range
LAGGED = 2  # the sums are of the window before the sample

_ANOMALY = "<BBHiiiqQIHBB"
_LEVELS = "<BBHiqqQIHBB"
_FEATURE = "<BBHIQQQQIHBB"
_DISTURBANCE = "<BBHIIHIHIIH"


def pack_anomaly(
    detector: int, flags: int, n: int, x: int, low: int, high: int, total: int, squares: int, index: int, p: int, q: int
) -> bytes:
    """One anomaly: the window's exact sums with the newest sample in them.

    Args:
        detector: ZSCORE, DRIFT, …
        flags: bit 0, CLIPPED.
        n: samples in the window.
        x: the sample, int32.
        low: smallest sample of the window, int32.
        high: largest sample of the window, int32.
        total: sum of the window, int64.
        squares: sum of squares of the window, uint64.
        index: samples seen on this channel since boot before this one, below 2^48.
        p: of the threshold t = p/q, at most 255.
        q: of the threshold, at most 255.
    """
    return struct.pack(
        _ANOMALY, detector, flags, n, x, low, high, total, squares, index & 0xFFFFFFFF, index >> 32, p, q
    )


def pack_levels(
    detector: int, flags: int, x: int, fast: int, slow: int, variance: int, index: int, p: int, q: int
) -> bytes:
    """One anomaly of a detector that compares two means, after the sample that raised it was taken in.

    Args:
        detector: DRIFT or NOVELTY.
        flags: bit 0, CLIPPED.
        x: the sample, int32.
        fast: the fast mean, Q16 of LSB, int64.
        slow: the slow mean, Q16 of LSB, int64.
        variance: Q16 of LSB², uint64.
        index: samples seen on this channel since boot before this one, below 2^48.
        p: of the threshold p/q, at most 255; 0 where it is not constant.
        q: of the threshold, at most 255; 0 where it is not constant.
    """
    return struct.pack(_LEVELS, detector, flags, 0, x, fast, slow, variance, index & 0xFFFFFFFF, index >> 32, p, q)


def pack_feature(
    flags: int, feature: int, blocks: int, value: int, total: int, squares: int, index: int, p: int, q: int
) -> bytes:
    """One anomalous block of the baseline detector.

    Args:
        flags: bit 0, CLIPPED.
        feature: number of the feature that decided, see detect.baseline.
        blocks: learned blocks.
        value: the feature of this block.
        total: sum of the feature over the learned blocks, below 2^64.
        squares: sum of its squares, below 2^128.
        index: of the block's last sample.
        p: of the threshold p/q, at most 255.
        q: of the threshold, at most 255.
    """
    mask = 0xFFFFFFFFFFFFFFFF
    return struct.pack(
        _FEATURE,
        BASELINE,
        flags,
        feature,
        blocks,
        value,
        total,
        squares & mask,
        squares >> 64,
        index & 0xFFFFFFFF,
        index >> 32,
        p,
        q,
    )


def unpack_anomaly(payload: bytes) -> dict[str, int]:
    """The dict behind `pack_anomaly`, `pack_levels` or `pack_feature`, by the detector's number.

    Returns:
        detector, flags, index, p, q, and x, n, min, max, sum, sum_sq for a z-score; x, fast, slow, variance for drift
        and novelty; feature, blocks, value, sum, sum_sq for a baseline.

    Raises:
        FrameError: it is short, or of a detector that this reader does not know.
    """
    detector = payload[0] if payload else 0
    if detector in (DRIFT, NOVELTY):
        v = unpack(_LEVELS, payload)
        return {
            "detector": detector,
            "flags": v[1],
            "x": v[3],
            "fast": v[4],
            "slow": v[5],
            "variance": v[6],
            "index": v[8] << 32 | v[7],
            "p": v[9],
            "q": v[10],
        }
    if detector == BASELINE:
        v = unpack(_FEATURE, payload)
        return {
            "detector": detector,
            "flags": v[1],
            "feature": v[2],
            "blocks": v[3],
            "value": v[4],
            "sum": v[5],
            "sum_sq": v[7] << 64 | v[6],
            "index": v[9] << 32 | v[8],
            "p": v[10],
            "q": v[11],
        }
    if detector != ZSCORE:
        raise FrameError("payload-detector", "%d" % detector)
    v = unpack(_ANOMALY, payload)
    return {
        "detector": v[0],
        "flags": v[1],
        "n": v[2],
        "x": v[3],
        "min": v[4],
        "max": v[5],
        "sum": v[6],
        "sum_sq": v[7],
        "index": v[9] << 32 | v[8],
        "p": v[10],
        "q": v[11],
    }


def pack_disturbance(detector: int, count: int, start: int, end: int, peak: int, peak_index: int) -> bytes:
    """The end of an event: detector, count of flags, indexes of first and last, the greatest score and its index."""
    return struct.pack(
        _DISTURBANCE,
        detector,
        0,
        0,
        count,
        start & 0xFFFFFFFF,
        start >> 32,
        end & 0xFFFFFFFF,
        end >> 32,
        min(peak, 0xFFFFFFFF),
        peak_index & 0xFFFFFFFF,
        peak_index >> 32,
    )


def unpack_disturbance(payload: bytes) -> dict[str, int]:
    """The dict behind `pack_disturbance`: detector, count, start, end, peak, peak_index."""
    v = unpack(_DISTURBANCE, payload)
    return {
        "detector": v[0],
        "count": v[3],
        "start": v[5] << 32 | v[4],
        "end": v[7] << 32 | v[6],
        "peak": v[8],
        "peak_index": v[10] << 32 | v[9],
    }
