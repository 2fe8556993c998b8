"""An anomaly's figures, by the detector that saw it: from the integers that the board sent to what is published.

Pure. Shared by the publisher and by `kittiwake detect`, so that both say the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

from kittiwake.publish import figures
from kittiwake_node.link import anomaly as anomalies

FEATURES = ("variance", "peak", "range", "crossings")


def form(
    anomaly: Mapping[str, int], scale: Fraction = Fraction(1), offset: Fraction = Fraction(0)
) -> dict[str, object]:
    """Form the figures of an anomaly.

    Args:
        anomaly: its fields, as anomalies.unpack_anomaly gives them.
        scale: units an LSB.
        offset: units at zero.

    Returns:
        value, z_score, mean, stdev (figures rounded to two decimals), and the exact integers they follow from: x with
        n, s, q, min, max of a z-score's window, or with fast_q16, slow_q16, variance_q16 of drift and novelty; feature,
        feature_value, blocks, s, q of a baseline, whose figures are in units of the feature.
    """
    if anomaly["detector"] == anomalies.BASELINE:
        return _of_feature(anomaly, scale)
    mean: float
    stdev: float | None
    if "n" in anomaly:
        n, total, squares = anomaly["n"], anomaly["sum"], anomaly["sum_sq"]
        mean, stdev, z = figures.window_figures(n, total, squares, anomaly["x"], scale, offset)
        exact = {"n": n, "s": total, "q": squares, "min": anomaly["min"], "max": anomaly["max"]}
    else:
        mean, stdev, z = figures.level_figures(anomaly["fast"], anomaly["slow"], anomaly["variance"], scale, offset)
        exact = {"fast_q16": anomaly["fast"], "slow_q16": anomaly["slow"], "variance_q16": anomaly["variance"]}
    value = figures.value(anomaly["x"], scale, offset)
    return {"value": value, "z_score": z, "mean": mean, "stdev": stdev, "x": anomaly["x"], **exact}


def _of_feature(anomaly: Mapping[str, int], scale: Fraction) -> dict[str, object]:
    feature = FEATURES[anomaly["feature"]] if anomaly["feature"] < len(FEATURES) else str(anomaly["feature"])
    # Variance and peak come in Q8; an offset moves no feature, a scale moves all but the count.
    factor = {
        "variance": scale**2 / 256,
        "peak": abs(scale) / 256,
        "range": abs(scale),
    }.get(feature, Fraction(1))
    zero = Fraction(0)
    blocks, total, squares = anomaly["blocks"], anomaly["sum"], anomaly["sum_sq"]
    mean, stdev, z = figures.window_figures(blocks, total, squares, anomaly["value"], factor, zero)
    return {
        "value": figures.value(anomaly["value"], factor, zero),
        "z_score": z,
        "mean": mean,
        "stdev": stdev,
        "feature": feature,
        "feature_value": anomaly["value"],
        "blocks": blocks,
        "s": total,
        "q": squares,
    }
