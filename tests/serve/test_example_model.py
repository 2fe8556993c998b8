"""The example's models judge seconds that they have not seen, of the simulated sensor and of a recording."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.asking import Asker

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "examples/inference/make_model.py"


@pytest.fixture(scope="module")
def script():
    spec = importlib.util.spec_from_file_location("make_model", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def made(folder, *arguments):
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(folder), *arguments], capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    assert (folder / "anomaly_detector.onnx").stat().st_size < 4096
    return Asker(folder)


def test_model_of_the_simulated_sensor_judges_seconds_that_it_has_not_seen(tmp_path, script):
    asker = made(tmp_path / "models")
    rows, truth = script.simulated(100, seed=10_000)
    _, reply = asker.json("POST", "/v1/models/anomaly_detector/predict", {"instances": rows})
    assert [each["anomaly"] for each in reply["predictions"]] == [bool(each) for each in truth]
    assert [each["label"] for each in reply["predictions"]] == ["normal", "anomaly"] * 50
    # Of quiet seconds the features are those of training; drift says so.
    figures = asker.app.store.models["anomaly_detector"].drift.figures()
    assert [each.name for each in figures] == ["mean", "stdev", "low", "high"]


def test_model_of_a_recording_judges_its_windows(tmp_path, script):
    readings = ROOT / "examples/temperature/readings.csv"
    asker = made(tmp_path / "models", "--recording", str(readings), "-c", "celsius", "--window", "60")
    rows, truth = script.recorded(readings, "celsius", 60)
    _, reply = asker.json("POST", "/v1/models/anomaly_detector/predict", {"instances": rows})
    assert [each["anomaly"] for each in reply["predictions"]] == [bool(each) for each in truth]
