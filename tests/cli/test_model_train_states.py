"""`kittiwake model train states`: from recordings of a sensor to a network that a board's script asks."""

import json

import numpy as np
import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_USAGE
from kittiwake.model.make import states

KINDS = {"fast": (0.31, 900), "off": (0.0, 0), "slow": (0.09, 900)}
BLOCK = 128


def _samples(kind, count, chance):
    """A sensor at rest on a slope, and a shaft's turns in it."""
    turns, size = KINDS[kind]
    phase, offset = chance.uniform(0, 6.3), chance.integers(-3000, 3000)
    wave = size * chance.uniform(0.8, 1.2) * np.sin(turns * np.arange(count) + phase)
    return np.rint(offset + wave + chance.normal(0, 60, count)).astype(int)


def _write(path, samples):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("time_s,raw\n" + "".join(f"{i / 400:.6f},{x}\n" for i, x in enumerate(samples)))


@pytest.mark.board("unix")
def test_states_that_were_trained_are_told_by_the_firmware_in_new_recordings(target_name, tensorflow, tmp_path, capsys):
    chance = np.random.default_rng(5)
    for kind in KINDS:
        for number in range(4):
            _write(tmp_path / "learn" / kind / f"{number}.csv", _samples(kind, 3000, chance))
    plan = tmp_path / "machine.kwm"
    arguments = ["model", "train", "states", str(tmp_path / "learn"), "-o", str(plan), "--block", str(BLOCK)]
    assert app.run([*arguments, "--epochs", "8", "--python", tensorflow, "--json"]) == EXIT_OK
    facts = json.loads(capsys.readouterr().out)
    assert facts["states"] == sorted(KINDS) and facts["plan_bytes"] == len(plan.read_bytes())
    assert [sum(row) for row in facts["taken_for"]] == [3000 // BLOCK] * 3
    assert sum(facts["taken_for"][i][i] for i in range(3)) >= 0.95 * 3 * (3000 // BLOCK)
    written = json.loads((tmp_path / "machine.json").read_text())
    assert written == {name: facts[name] for name in ("states", "block", "full_scale")}

    # As the script of the how-to does it, with the plan's own bytes: blocks of recordings that nobody has seen.
    truth, rows = [], []
    for number, kind in enumerate(facts["states"]):
        for _ in range(20):
            samples = _samples(kind, BLOCK, chance)
            rows.append(np.clip((samples - samples.mean()) / facts["full_scale"], -1, 1))
            truth.append(number)
    model = tmp_path / "machine.tflite"
    assert app.run(["model", "info", str(model), "--json"]) == EXIT_OK
    (source,) = json.loads(capsys.readouterr().out)["inputs"]
    data = np.clip(np.rint(np.array(rows) / source["scale"]) + source["zero_point"], -128, 127).astype(np.int8)
    np.save(tmp_path / "x.npy", data.reshape(-1, *source["shape"]))
    run = ["model", "run", str(model), "--input", str(tmp_path / "x.npy"), "--output", str(tmp_path / "y.npy")]
    assert app.run(run) == EXIT_OK
    said = np.load(tmp_path / "y.npy").reshape(len(rows), 3).argmax(axis=1)
    assert (said == truth).mean() >= 0.95
    assert app.run(["model", "check", str(model), "-k", "12"]) == EXIT_OK


def test_states_of_too_few_samples_or_folders_are_refused(tmp_path, capsys):
    arguments = ["model", "train", "states", str(tmp_path), "-o", str(tmp_path / "m.kwm"), "--python", "/none/python"]
    _write(tmp_path / "on" / "1.csv", np.zeros(9000, int))
    assert app.run(arguments) == EXIT_USAGE
    assert "has no two folders of recordings" in capsys.readouterr().err
    _write(tmp_path / "off" / "1.csv", np.zeros(5000, int))
    assert app.run(arguments) == EXIT_USAGE
    assert "off: 28 blocks of 256 samples are too few; record for 40 or more" in capsys.readouterr().err
    assert app.run([*arguments, "--block", "128"]) == EXIT_USAGE
    assert "/none/python cannot be run" in capsys.readouterr().err


def test_blocks_have_no_mean_and_overlap_by_their_step():
    made = states.blocks(np.arange(10.0), 4, 2)
    assert made.tolist() == [[-1.5, -0.5, 0.5, 1.5]] * 4
    assert states.blocks(np.arange(3.0), 4, 2).shape == (0, 4)
    assert states.scaled(np.array([[-30.0, 5.0, 20.0]]), 10.0).tolist() == [[-1.0, 0.5, 1.0]]
