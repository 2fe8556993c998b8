"""Makes a model for `kittiwake serve`, and its card: logistic regression on a second's mean, stdev, low and high.

    python examples/inference/make_model.py models                            # of the simulated vibration
    python examples/inference/make_model.py models --recording readings.csv -c celsius --window 60

A second of the simulated sensor is an anomaly when a sample of it is one. Of a recording, a window is one when a spike
was put into it, which the script does to every other window: twelve standard deviations of the recording.

Needs numpy and onnx beside `kittiwake[serve]`.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from kittiwake.signals import csv_column, vibration

NAMES = ("mean", "stdev", "low", "high")
RATE_HZ = 100


def features(window: Sequence[float]) -> list[float]:
    """Give what a summary says of a window."""
    return [statistics.fmean(window), statistics.stdev(window), min(window), max(window)]


def simulated(seconds: int, seed: int) -> tuple[list[list[float]], list[int]]:
    """Give features and truth of seconds of the simulated sensor, every other one with an anomaly."""
    rows, truth = [], []
    for second in range(seconds):
        quiet = vibration.samples(RATE_HZ, RATE_HZ, 0, seed + second)
        window = [sample / vibration.LSB_PER_MM_S for sample in quiet]
        if second % 2:
            window[second % RATE_HZ] += random.Random(seed + second).uniform(*vibration.ANOMALY_MM_S)
        rows.append(features(window))
        truth.append(second % 2)
    return rows, truth


def recorded(path: Path, column: str, size: int) -> tuple[list[list[float]], list[int]]:
    """Give features and truth of a recording's windows, every other one with a spike put into it."""
    values = [float(value) for value in csv_column.read_column(path, column).values]
    spike = 12 * statistics.stdev(values)
    rows, truth = [], []
    for number, begin in enumerate(range(0, len(values) - size + 1, size)):
        window = values[begin : begin + size]
        if number % 2:
            window[number % size] += spike
        rows.append(features(window))
        truth.append(number % 2)
    return rows, truth


def fit(rows: np.ndarray, truth: np.ndarray, turns: int = 25) -> np.ndarray:
    """Fit a logistic regression to standardised rows by Newton's method, with a small penalty: weights, then bias."""
    inputs = np.hstack([rows, np.ones((len(rows), 1))])
    weights = np.zeros(inputs.shape[1])
    for _ in range(turns):
        guess = 1 / (1 + np.exp(-inputs @ weights))
        slope = inputs.T @ (guess - truth) + 0.1 * weights
        curve = (inputs * (guess * (1 - guess))[:, None]).T @ inputs + 0.1 * np.eye(len(weights))
        weights -= np.linalg.solve(curve, slope)
    return weights


def to_onnx(weights: Sequence[float], bias: float) -> bytes:
    """Write a classifier of two classes, as converters of such libraries do: a label, and probabilities."""
    linear = helper.make_node(
        "LinearClassifier",
        ["features"],
        ["label", "scores"],
        domain="ai.onnx.ml",
        coefficients=[-weight / 2 for weight in weights] + [weight / 2 for weight in weights],
        intercepts=[-bias / 2, bias / 2],
        classlabels_ints=[0, 1],
    )
    softmax = helper.make_node("Softmax", ["scores"], ["probabilities"], axis=1)
    graph = helper.make_graph(
        [linear, softmax],
        "anomaly_detector",
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, [None, len(weights)])],
        [
            helper.make_tensor_value_info("label", TensorProto.INT64, [None]),
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, 2]),
        ],
    )
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=imports, ir_version=8)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def card(rows: np.ndarray, unit: str) -> str:
    """Write the card: how features are scaled, and what they were in training without anomalies."""
    text = '[model]\ndescription = "A second, or a window, by what its summary says"\nlabels = ["normal", "anomaly"]\n'
    for name, column in zip(NAMES, rows.T, strict=True):
        mean, stdev = float(column.mean()), float(column.std())
        text += f'\n[[features]]\nname = "{name}"\nunit = "{unit}"\noffset = {mean!r}\nscale = {stdev!r}\n'
        text += f"mean = {mean!r}\nstdev = {stdev!r}\nlow = {float(column.min())!r}\nhigh = {float(column.max())!r}\n"
    return text


def main() -> None:
    """Make the model and its card."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--name", default="anomaly_detector")
    parser.add_argument("--recording", type=Path)
    parser.add_argument("-c", "--column", default="value")
    parser.add_argument("--window", type=int, default=60, help="samples")
    parser.add_argument("--seconds", type=int, default=400, help="of the simulated sensor")
    options = parser.parse_args()
    if options.recording:
        rows, truth = recorded(options.recording, options.column, options.window)
        unit = options.column
    else:
        rows, truth = simulated(options.seconds, seed=0)
        unit = "mm/s"
    values, wanted = np.array(rows), np.array(truth)
    quiet = values[wanted == 0]
    weights = fit((values - quiet.mean(axis=0)) / quiet.std(axis=0), wanted)
    options.folder.mkdir(parents=True, exist_ok=True)
    for suffix, content in (
        (".toml", card(quiet, unit).encode()),
        (".onnx", to_onnx(weights[:-1].tolist(), weights[-1])),
    ):
        path = options.folder / f"{options.name}{suffix}"
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)
    print(f"{options.folder / options.name}.onnx: {len(rows)} windows, {int(wanted.sum())} with an anomaly")


if __name__ == "__main__":
    main()
