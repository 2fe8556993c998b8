"""`kittiwake model`: compile, info, run and check, and what they say when something is wrong."""

import json

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

import numpy as np

import kittiwake
from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION
from kittiwake.model.emit import kwm
from kittiwake.model.run import oracle
from tests.parity import models
from tests.support.tflite_graphs import random_model

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
