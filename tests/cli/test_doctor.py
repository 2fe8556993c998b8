"""`kittiwake doctor` on the unix target: a sound configuration, broken ones, and a journal that cannot be kept."""

import json
from array import array

import pytest

from kittiwake.cli import app
from kittiwake.doctor import ask, judge
from kittiwake.errors import EXIT_OK, EXIT_USAGE, EXIT_VERIFICATION
from kittiwake.target import open_target

CONFIG = """
[[channels]]
name = "vib"
source = {{kind = "timer", sensor = {{kind = "wave", path = "{path}"}}}}
[[channels]]
name = "fed"
source = {{kind = "link"}}
"""


@pytest.fixture
def config(tmp_path):
    wave = tmp_path / "wave.bin"
    wave.write_bytes(array("h", range(-500, 500)).tobytes())
    path = tmp_path / "node.toml"
    path.write_text(CONFIG.format(path=wave))
    return path


def findings(config, capsys):
    code = app.run(["doctor", "--target", "unix", "-c", str(config), "--json"])
    told = json.loads(capsys.readouterr().out)
    return code, {finding["check"]: finding for finding in told["findings"]}


def test_doctor_of_a_sound_node_finds_nothing_wrong(config, capsys):
    code, found = findings(config, capsys)
    assert code == EXIT_OK, found
    assert found["channel vib"]["detail"].startswith("timer: ") and "-500 to" in found["channel vib"]["detail"]
    assert "over the link" in found["channel fed"]["detail"]
    assert found["journal"]["state"] == found["configuration"]["state"] == "ok"


def test_doctor_says_what_does_not_answer_and_exits_5(config, tmp_path, capsys):
    (tmp_path / "wave.bin").unlink()
    code, found = findings(config, capsys)
    assert code == EXIT_VERIFICATION
    wrong = {name: finding for name, finding in found.items() if finding["state"] == "wrong"}
    assert list(wrong) == ["channel vib", "link"] and "no file of int16 samples" in wrong["channel vib"]["detail"]
    assert wrong["channel vib"]["mend"]
    assert "the node does not run: " in wrong["link"]["detail"] and "source.sensor.path" in wrong["link"]["detail"]


def test_doctor_of_a_refused_configuration_asks_no_sensor(config, capsys):
    config.write_text(config.read_text() + "bits = 3\n")
    code, found = findings(config, capsys)
    assert code == EXIT_VERIFICATION and "bits: 3 is not within" in found["configuration"]["detail"]
    assert not any(name.startswith("channel") for name in found)


def test_doctor_sees_a_foreign_partition_and_a_file_that_is_missing():
    shared = {
        "link": "mqtt",
        "mqtt": {"url": "mqtts://b", "ca_file": "ca.pem"},
        "channels": [{"source": {"kind": "link"}}],
    }
    with open_target("unix") as board:
        board.flash_path.write_bytes(b"somebody else's data" * 50_000)
        facts = ask.ask(board, False, shared, lambda text: None)
    found = {finding.check: finding for finding in judge.judge(facts)}
    assert found["journal"].state == "wrong" and "foreign" in found["journal"].detail
    assert found["configuration"].detail == "ca.pem is not on the board"


def test_doctor_wants_one_board(capsys):
    assert app.run(["doctor"]) == EXIT_USAGE
    assert len(capsys.readouterr().err.splitlines()) == 1
