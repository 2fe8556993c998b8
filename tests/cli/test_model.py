"""`kittiwake model`: compile, info, run and check, and what they say when something is wrong."""

import json
import random

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

import numpy as np

import kittiwake
from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION
from kittiwake.model.emit import kwm
from kittiwake.model.run import oracle
from tests.parity import models
from tests.support.image_networks import first_layers_large
from tests.support.tflite_builder import FLOAT32, OPS, options
from tests.support.tflite_graphs import from_graph, random_model
from tests.support.tflite_net import Net

SEED = 0


@pytest.fixture
def model(tmp_path):
    content, shape, _ = random_model(SEED)
    path = tmp_path / "net.tflite"
    path.write_bytes(content)
    return path, content, shape


def test_model_compile_writes_a_plan(model, tmp_path, capsys):
    path, _, _ = model
    assert app.run(["model", "compile", str(path), "--target-isa", "thumb2"]) == EXIT_OK
    written = (tmp_path / "net.kwm").read_bytes()
    assert kwm.read_header(written).weight_layout == "quads"
    assert capsys.readouterr().out == ""


def test_model_info_adds_up(tmp_path, capsys):
    path = tmp_path / "okay_nabu.tflite"
    path.write_bytes(models.wake_word("okay_nabu"))
    assert app.run(["model", "info", str(path), "--json"]) == EXIT_OK
    facts = json.loads(capsys.readouterr().out)
    assert facts["total"]["macs"] == 36480
    assert facts["operators"]["CONV_2D"] == 6
    assert facts["total"]["ram_bytes"] == facts["total"]["scratch_bytes"] + facts["total"]["state_bytes"]
    assert facts["instructions"]["thumb2"] < facts["instructions"]["viper"]
    for kernel, total in facts["instructions"].items():
        assert abs(sum(row["instructions"][kernel] for row in facts["layers"]) - total) <= len(facts["layers"])
    assert app.run(["model", "info", str(path)]) == EXIT_OK
    assert "36480" in capsys.readouterr().out


def test_model_info_says_what_is_in_strips_and_what_that_saves(tmp_path, capsys):
    path = tmp_path / "image.tflite"
    path.write_bytes(from_graph(first_layers_large(32)))
    ram = {}
    for slower in ("0", "10"):
        arguments = ["model", "info", str(path), "--target-isa", "dsp", "--slower", slower]
        assert app.run([*arguments, "--json"]) == EXIT_OK
        ram[slower] = json.loads(capsys.readouterr().out)["total"]["ram_bytes"]
        assert app.run(arguments) == EXIT_OK
        said = capsys.readouterr().out
        assert ("strips of their result's rows" in said) == (slower == "10")
    assert ram["10"] < ram["0"]
    assert f"without strips {ram['0']} bytes of RAM" in said
    assert app.run(["model", "compile", str(path), "--target-isa", "dsp"]) == EXIT_OK
    header = kwm.read_header(path.with_suffix(".kwm").read_bytes())
    assert header.scratch + header.state == ram["10"]
    assert app.run(["model", "compile", str(path), "--ram", str(ram["10"] - 1), "--slower", "0"]) == EXIT_FAILED
    assert "the budget is" in capsys.readouterr().err


def test_model_run_gives_tflite_micros_rows(model, tmp_path, capsys):
    path, content, shape = model
    data = np.random.default_rng(1).integers(-128, 128, (7, *shape)).astype(np.int8)
    np.save(tmp_path / "x.npy", data)
    arguments = ["model", "run", str(path), "--input", str(tmp_path / "x.npy"), "--output", str(tmp_path / "y.npy")]
    for more, resets in (([], False), (["--reset"], True)):
        assert app.run([*arguments, "--json", *more]) == EXIT_OK
        facts = json.loads(capsys.readouterr().out)
        assert facts["invokes"] == 7 and facts["microseconds"] > 0
        assert 0 < facts["heap_bytes"] <= facts["peak_heap_bytes"] < 1 << 20
        with oracle.Oracle() as micro:
            expected, _ = micro.run(content, [row.tobytes() for row in data], resets)
        assert np.load(tmp_path / "y.npy").tobytes() == b"".join(expected)


@pytest.fixture
def two_ends(tmp_path):
    """A network of two inputs, one in floats, and two outputs of two types; its three-byte input leaves a gap."""
    net = Net(random.Random(2))
    a = net.tensor((1, 3), quant=(0.1, 3))
    floats = net.tensor((1, 2), FLOAT32)
    b = net.tensor((1, 2), quant=(0.1, 3))
    net.op(OPS.QUANTIZE, [floats], [b], *options("QuantizeOptions"))
    both = net.concat(a, b)
    path = tmp_path / "two.tflite"
    path.write_bytes(net.bytes([a, floats], [net.unary(a, "RELU"), net.last(both, "DEQUANTIZE")]))
    return path


def test_model_run_takes_a_file_an_input_and_writes_one_an_output(two_ends, tmp_path, capsys):
    rows = [np.array([[[1, 2, 3]], [[-4, 5, 6]]], np.int8), np.array([[[0.5, -9]], [[0.04, 1e9]]], np.float32)]
    files = [str(tmp_path / f"{name}.npy") for name in "abxy"]
    for file, row in zip(files, rows, strict=False):
        np.save(file, row)
    ends = ["--input", files[0], "--input", files[1], "--output", files[2], "--output", files[3]]
    assert app.run(["model", "run", str(two_ends), *ends, "--json"]) == EXIT_OK
    # Quantised: (0.5, -9) is (5, -90) steps of 0.1 from the zero point 3, and 1e9 saturates; and back.
    expected = np.array([[[-0.2, -0.1, 0.0, 0.5, -9.0]], [[-0.7, 0.2, 0.3, 0.0, 12.4]]], np.float32)
    assert np.allclose(np.load(files[3]), expected, atol=1e-6)
    assert np.load(files[2]).dtype == np.int8 and np.load(files[2]).shape == (2, 1, 3)
    capsys.readouterr()
    assert app.run(["model", "check", str(two_ends), "-k", "9", "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["mismatches"] == 0
    assert app.run(["model", "info", str(two_ends), "--json"]) == EXIT_OK
    facts = json.loads(capsys.readouterr().out)
    assert [(end["offset"], end["type"]) for end in facts["inputs"]] == [(0, "int8"), (4, "float32")]
    assert app.run(["model", "info", str(two_ends), "--byte-ends", "--json"]) == EXIT_OK
    assert [end["type"] for end in json.loads(capsys.readouterr().out)["inputs"]] == ["int8", "int8"]


def test_model_run_with_a_file_or_a_row_too_few_exits_2(two_ends, tmp_path, capsys):
    np.save(tmp_path / "a.npy", np.zeros((2, 1, 3), np.int8))
    np.save(tmp_path / "b.npy", np.zeros((3, 1, 2), np.float32))
    a, b, y = (str(tmp_path / f"{name}.npy") for name in "aby")
    arguments = ["model", "run", str(two_ends), "--input", a, "--output", y]
    assert app.run(arguments) == EXIT_USAGE
    assert "--input stands 1 times, the model has 2" in capsys.readouterr().err
    assert app.run([*arguments, "--input", b]) == EXIT_USAGE
    assert "the inputs differ in their rows" in capsys.readouterr().err
    np.save(tmp_path / "b.npy", np.zeros((2, 1, 2), np.float32))
    assert app.run([*arguments, "--input", b]) == EXIT_USAGE
    assert "--output stands 1 times, the model has 2" in capsys.readouterr().err


def test_model_run_takes_rows_without_their_batch_of_one(model, tmp_path, capsys):
    path, _, shape = model
    assert shape[0] == 1 and len(shape) > 2
    data = np.random.default_rng(2).integers(-128, 128, (3, *shape)).astype(np.int8)
    for name, rows in (("with", data), ("without", data[:, 0])):
        np.save(tmp_path / f"{name}.npy", rows)
        run = ["model", "run", str(path), "--input", str(tmp_path / f"{name}.npy")]
        assert app.run([*run, "--output", str(tmp_path / f"{name}-y.npy")]) == EXIT_OK
    assert (tmp_path / "with-y.npy").read_bytes() == (tmp_path / "without-y.npy").read_bytes()
    np.save(tmp_path / "less.npy", data[:, 0, 0])
    arguments = ["model", "run", str(path), "--input", str(tmp_path / "less.npy"), "--output", str(tmp_path / "y.npy")]
    assert app.run(arguments) == EXIT_USAGE
    assert "the model takes int8[k, 1, " in capsys.readouterr().err


def test_model_check_passes_and_fails_where_a_kernel_is_changed(model, monkeypatch, capsys):
    path, _, _ = model
    assert app.run(["model", "check", str(path), "-k", "12", "--json"]) == EXIT_OK
    assert json.loads(capsys.readouterr().out)["mismatches"] == 0
    files = kittiwake.firmware_files()
    name, right, wrong = "kittiwake_node/kernels/viper_conv.py", b"+ 64) >> 7", b"+ 65) >> 7"
    table = "kittiwake_node/kernels/viper_shape.py"
    changed = files | {name: files[name].replace(right, wrong)}
    changed[table] = files[table].replace(b"target[i] = source[i]", b"target[i] = source[i] ^ 1")
    monkeypatch.setattr(kittiwake, "firmware_files", lambda: changed)
    assert app.run(["model", "check", str(path), "-k", "12", "--json"]) == EXIT_VERIFICATION
    answer = json.loads(capsys.readouterr().out)
    assert answer["mismatches"] > 0 and answer["first"]["got"] != answer["first"]["expected"]


def test_model_that_is_none_exits_1_with_one_line(tmp_path, capsys):
    path = tmp_path / "x.tflite"
    path.write_bytes(b"nothing of the kind")
    assert app.run(["model", "compile", str(path)]) == EXIT_FAILED
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "no .tflite file" in said


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (np.zeros((2, 3), np.int8), "the model takes int8"),
        (np.zeros((2, 1), np.float32), "the model takes int8"),
        (None, "it is no .npy file"),
    ],
)
def test_model_run_with_a_wrong_input_exits_2_and_says_what_it_takes(model, tmp_path, capsys, array, reason):
    path, _, _ = model
    given = tmp_path / "x.npy"
    if array is None:
        given.write_bytes(b"no array")
    else:
        np.save(given, array)
    arguments = ["model", "run", str(path), "--input", str(given), "--output", str(tmp_path / "y.npy")]
    assert app.run(arguments) == EXIT_USAGE
    assert reason in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["compile", "absent.tflite"], ["info", "absent.tflite"]])
def test_model_that_is_absent_exits_2(arguments, capsys):
    assert app.run(["model", *arguments]) == EXIT_USAGE
    assert "cannot be read" in capsys.readouterr().err


def test_model_for_an_unknown_instruction_set_exits_2(model, capsys):
    assert app.run(["model", "compile", str(model[0]), "--target-isa", "avr"]) == EXIT_USAGE
    assert "viper" in capsys.readouterr().err
