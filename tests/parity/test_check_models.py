"""tools/check_models.py: what it says of models that run, that cannot, and that give other bytes."""

import sys

import pytest

pytest.importorskip("tflite_micro", reason="no wheel of tflite-micro for this machine")

from kittiwake.model.run import on_target
from tests.support.tflite_graphs import random_model
from tools import check_models


def _run(monkeypatch, capsys, folder):
    monkeypatch.setattr(sys, "argv", ["check_models.py", str(folder), "--invokes", "6"])
    code = check_models.main()
    return code, capsys.readouterr().out.splitlines()


@pytest.mark.board("unix")
def test_models_of_a_folder_are_told_once_each_and_a_wrong_byte_is_seen(target_name, tmp_path, monkeypatch, capsys):
    assert _run(monkeypatch, capsys, tmp_path) == (1, ["no models"])
    (tmp_path / "of" / "two").mkdir(parents=True)
    for name in ("a", "of/b"):
        (tmp_path / f"{name}.tflite").write_bytes(random_model(0)[0])
    (tmp_path / "of" / "two" / "c.tflite").write_bytes(b"no model")
    (tmp_path / "large.tflite").write_bytes(bytes(check_models._MOST_BYTES + 1))
    code, lines = _run(monkeypatch, capsys, tmp_path)
    assert code == 0 and lines[-1] == "1 equal, 1 refused" and len(lines) == 3
    assert lines[0].startswith("equal              a.tflite: 6 invokes, ") and "plan " in lines[0]
    assert lines[1].startswith("refused            of/two/c.tflite: ")

    right = on_target.invoke
    monkeypatch.setattr(on_target, "invoke", lambda *these: [bytes([row[0] ^ 1]) + row[1:] for row in right(*these)])
    code, lines = _run(monkeypatch, capsys, tmp_path)
    assert code == 1 and lines[0].startswith("differs            a.tflite: 6 of 6 invokes")
