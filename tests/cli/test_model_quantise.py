"""`kittiwake model quantise`: float models of every form become int8 ones that TFLite Micro and boards run alike."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE
from kittiwake.model import compiler
from kittiwake.model.foreign import quantise as foreign_quantise
from kittiwake.model.make import quantise
from kittiwake.model.run import oracle


@pytest.fixture(scope="module")
def floats(tensorflow, tmp_path_factory):
    """The folder of the float models."""
    folder = tmp_path_factory.mktemp("floats")
    program = Path(__file__).with_name("float_models.py")
    subprocess.run([tensorflow, str(program), str(folder)], check=True, capture_output=True, timeout=110)
    return folder


def _quantised(folder, name, python, output, labels="labels", *options):
    arguments = ["model", "quantise", str(folder / name), "--data", str(folder / "x.npy"), "--json", "-o", str(output)]
    arguments += ["--labels", str(folder / f"{labels}.npy"), "--python", python, *options]
    assert app.run(arguments) == EXIT_OK


def _micro_says(content, samples):
    """The classes that TFLite Micro gives for float samples, quantised here."""
    source = compiler.compile_model(content).program.inputs[0].tensor
    ends = np.iinfo(source.type)
    rows = np.clip(np.rint(samples / source.scale) + source.zero_point, ends.min, ends.max).astype(source.type)
    with oracle.Oracle() as micro:
        outputs, _ = micro.run(content, [row.tobytes() for row in rows])
    return np.array([np.frombuffer(output, source.type).argmax() for output in outputs])


def _holds(folder, facts, content, labels):
    """The model says of nearly all samples what the float model says, by TFLite Micro as well as by the report."""
    classes = np.load(folder / f"{labels}.npy")
    said = _micro_says(content, np.load(folder / "x.npy"))
    assert facts["accuracy_before"] == 1.0
    assert facts["accuracy_after"] > 0.95 and (said == classes).mean() > 0.95
    assert facts["agreement"] == facts["accuracy_after"]
    assert 0 < facts["rms_error"] < 0.05
    assert facts["input_shape"] == [1, 12, 6] and facts["plan_bytes"] > 0 and facts["ram_bytes"] > 0


@pytest.mark.parametrize(
    "name", ["net.keras", *[pytest.param(one, marks=pytest.mark.soak) for one in ("net.h5", "saved")]]
)
def test_quantise_of_a_keras_model_keeps_its_accuracy_and_tells_what_each_layer_loses(
    floats, tensorflow, name, tmp_path, capsys
):
    _quantised(floats, name, tensorflow, tmp_path / "net.tflite")
    facts = json.loads(capsys.readouterr().out)
    _holds(floats, facts, (tmp_path / "net.tflite").read_bytes(), "labels")
    assert app.run(["model", "check", str(tmp_path / "net.tflite"), "-k", "12"]) == EXIT_OK
    steps = [layer["steps"] for layer in facts["layers"]]
    assert {"CONV_2D", "FULLY_CONNECTED"} <= {layer["operator"] for layer in facts["layers"]}
    assert steps == sorted(steps, reverse=True) and 0.1 < steps[0] < 2


def test_quantise_of_a_float_tflite_needs_no_tensorflow_and_keeps_its_accuracy(floats, tensorflow, tmp_path, capsys):
    _quantised(floats, "float.tflite", tensorflow, tmp_path / "net.tflite", "float_labels")
    facts = json.loads(capsys.readouterr().out)
    _holds(floats, facts, (tmp_path / "net.tflite").read_bytes(), "float_labels")
    assert app.run(["model", "check", str(tmp_path / "net.tflite"), "-k", "12"]) == EXIT_OK
    assert facts["layers"] == []


@pytest.mark.parametrize("name", ["net.keras", pytest.param("float.tflite", marks=pytest.mark.soak)])
def test_quantise_to_activations_of_16_bits_runs_as_tflite_micro_does(floats, tensorflow, name, tmp_path, capsys):
    labels = "labels" if name == "net.keras" else "float_labels"
    _quantised(floats, name, tensorflow, tmp_path / "net.tflite", labels, "--activations", "16")
    facts = json.loads(capsys.readouterr().out)
    content = (tmp_path / "net.tflite").read_bytes()
    _holds(floats, facts, content, labels)
    assert facts["activations"] == 16
    assert compiler.compile_model(content).program.inputs[0].tensor.type == "int16"
    assert facts["rms_error"] < 0.01
    assert app.run(["model", "check", str(tmp_path / "net.tflite"), "-k", "12"]) == EXIT_OK


def test_quantise_to_activations_of_other_bits_is_refused(floats, tmp_path, capsys):
    arguments = ["model", "quantise", str(floats / "net.keras"), "--data", str(floats / "x.npy"), "--activations", "12"]
    assert app.run(arguments) == EXIT_USAGE
    assert "activations of 12 bits are none that boards run" in capsys.readouterr().err


@pytest.mark.soak
def test_quantise_of_an_onnx_model_puts_its_channels_last(tmp_path, capsys):
    python = os.environ.get("KITTIWAKE_ONNX2TF")
    if not python:
        pytest.skip("KITTIWAKE_ONNX2TF names no interpreter that has onnx2tf")
    program = Path(__file__).with_name("onnx_model.py")
    subprocess.run([python, str(program), str(tmp_path)], check=True, capture_output=True, timeout=110)
    _quantised(tmp_path, "net.onnx", python, tmp_path / "net.tflite")
    facts = json.loads(capsys.readouterr().out)
    assert facts["input_shape"] == [1, 12, 10, 3]
    assert facts["accuracy_before"] == 1.0 and facts["accuracy_after"] > 0.95
    samples = np.load(tmp_path / "x.npy").transpose(0, 2, 3, 1)
    said = _micro_says((tmp_path / "net.tflite").read_bytes(), samples)
    assert (said == np.load(tmp_path / "labels.npy")).mean() > 0.95


def test_channels_last_moves_axis_one_behind_and_leaves_rows_alone():
    images = np.arange(2 * 3 * 4 * 5).reshape(2, 3, 4, 5)
    assert foreign_quantise.channels_last(images).shape == (2, 4, 5, 3)
    assert foreign_quantise.channels_last(images)[1, 2, 3, 1] == images[1, 1, 2, 3]
    assert foreign_quantise.channels_last(images[:, :, 0]).shape == (2, 5, 3)
    assert foreign_quantise.channels_last(images[:, :, 0, 0]).shape == (2, 3)


def test_accuracy_counts_largest_outputs_and_halves():
    outputs = np.array([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6], [0.7, 0.3]])
    assert quantise.accuracy(outputs, np.array([1, 0, 0, 0])) == 0.75
    assert quantise.accuracy(np.array([[0.6], [0.5], [0.1]]), np.array([1, 0, 1])) == pytest.approx(2 / 3)


@pytest.mark.parametrize(
    ("data", "labels", "says"),
    [
        (np.zeros((3,)), None, "holds no samples"),
        (np.array([[1.0, np.nan]]), None, "holds values that are no numbers"),
        (np.zeros((3, 2)), np.zeros(2, int), "holds int64[2], there are 3 samples"),
        (np.zeros((3, 2)), np.zeros(3), "holds float64[3], there are 3 samples"),
    ],
)
def test_quantise_refuses_data_that_do_not_fit_before_anything_runs(data, labels, says, tmp_path, capsys):
    (tmp_path / "net.keras").write_bytes(b"never read")
    np.save(tmp_path / "x.npy", data)
    arguments = ["model", "quantise", str(tmp_path / "net.keras"), "--data", str(tmp_path / "x.npy")]
    if labels is not None:
        np.save(tmp_path / "y.npy", labels)
        arguments += ["--labels", str(tmp_path / "y.npy")]
    assert app.run([*arguments, "--python", "/none"]) == EXIT_USAGE
    assert says in capsys.readouterr().err
    assert not list(tmp_path.glob("*.tflite"))


def test_quantise_names_what_is_missing_and_how_it_comes(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((3, 2)))
    arguments = ["model", "quantise", str(tmp_path / "none.keras"), "--data", str(tmp_path / "x.npy")]
    assert app.run(arguments) == EXIT_USAGE
    assert "none.keras is not there; name a .keras" in capsys.readouterr().err
    (tmp_path / "none.keras").write_bytes(b"no model")
    assert app.run([*arguments, "--python", "/none/python"]) == EXIT_USAGE
    assert "/none/python cannot be run" in capsys.readouterr().err
    assert app.run([*arguments, "--python", sys.executable]) == EXIT_FAILED
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "3 samples are few: give 100 or more, like those that the network will see"
    assert said[-1] == (
        "kittiwake: tensorflow is not in this interpreter; "
        "install kittiwake[quantise], or name an interpreter that has it with --python"
    )


def test_quantise_tells_why_the_process_died(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((3, 2)))
    (tmp_path / "net.keras").write_bytes(b"no model")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho out of memory >&2\nexit 9\n")
    python.chmod(0o755)
    arguments = ["model", "quantise", str(tmp_path / "net.keras"), "--data", str(tmp_path / "x.npy")]
    assert app.run([*arguments, "--python", str(python)]) == EXIT_FAILED
    assert f"{python} died of it: out of memory" in capsys.readouterr().err
