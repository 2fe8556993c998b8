"""An anomaly's figures, by the detector that saw it: from the integers that the board sent to what is published.

Pure. Shared by the publisher and by `kittiwake detect`, so that both say the same.
"""

from __future__ import annotations

from fractions import Fraction

from kittiwake.publish import figures
from kittiwake_node.link import payload

FEATURES = ("variance", "peak", "range", "crossings")


def form(told: dict, scale: Fraction = Fraction(1), offset: Fraction = Fraction(0)) -> dict:
    """Form the figures of an anomaly.

    Args:
        told: what payload.unpack_anomaly gave.
        scale, offset: units an LSB, units at zero.

    Returns:
        value, z_score, mean, stdev (figures rounded to two decimals), and the exact integers they follow from: x with
        n, s, q, min, max of a z-score's window, or with fast_q16, slow_q16, variance_q16 of drift and novelty; feature,
        feature_value, blocks, s, q of a baseline, whose figures are in units of the feature.
    """
    if told["detector"] == payload.BASELINE:
        return _of_feature(told, scale)
    if "n" in told:
        mean, stdev, z = figures.window_figures(told["n"], told["sum"], told["sum_sq"], told["x"], scale, offset)
        exact = {"n": told["n"], "s": told["sum"], "q": told["sum_sq"], "min": told["min"], "max": told["max"]}
    else:
        mean, stdev, z = figures.level_figures(told["fast"], told["slow"], told["variance"], scale, offset)
        exact = {"fast_q16": told["fast"], "slow_q16": told["slow"], "variance_q16": told["variance"]}
    value = figures.value(told["x"], scale, offset)
    return {"value": value, "z_score": z, "mean": mean, "stdev": stdev, "x": told["x"], **exact}


def _of_feature(told: dict, scale: Fraction) -> dict:
    feature = FEATURES[told["feature"]] if told["feature"] < len(FEATURES) else str(told["feature"])
    # Variance and peak come in Q8; an offset moves no feature, a scale moves all but the count.
    factor = {
        "variance": scale**2 / 256,
        "peak": abs(scale) / 256,
        "range": abs(scale),
    }.get(feature, Fraction(1))
    zero = Fraction(0)
    mean, stdev, z = figures.window_figures(told["blocks"], told["sum"], told["sum_sq"], told["value"], factor, zero)
    return {
        "value": figures.value(told["value"], factor, zero),
        "z_score": z,
        "mean": mean,
        "stdev": stdev,
        "feature": feature,
        "feature_value": told["value"],
        "blocks": told["blocks"],
        "s": told["sum"],
        "q": told["sum_sq"],
    }
