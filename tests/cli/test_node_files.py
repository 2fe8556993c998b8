"""Node configurations that cannot be: each is refused in one line, with the file, the line and what may be meant."""

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_USAGE

GOOD = """
device = "kw"
[[channels]]
name = "vib"
source = {kind = "link"}
"""


@pytest.fixture
def explain(tmp_path, capsys):
    path = tmp_path / "node.toml"

    def run(text, encoding="utf-8"):
        path.write_bytes(text.encode(encoding))
        code = app.run(["explain", str(path)])
        captured = capsys.readouterr()
        return code, captured.err.replace(str(path), "node.toml") if code else captured.out

    return run


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            GOOD.replace('"kw"', "2026-01-01"),
            "node.toml, line 2: device: a date, and no setting is one; write it in quotes",
        ),
        (GOOD.replace('"kw"', "07:30:00"), "node.toml, line 2: device: a date"),
        (GOOD + "rate_hz = nan\n", 'node.toml, line 6: channels[0].rate_hz: "nan": a whole number is wanted'),
        (GOOD + "rate_hz = -inf\n", 'node.toml, line 6: channels[0].rate_hz: "-inf": a whole number is wanted'),
        (GOOD + "unit = 5.5\nrate_hz = 5.5\n", 'line 7: channels[0].rate_hz: "5.5": a whole number is wanted'),
        (GOOD + "readings = 1\n", "node.toml, line 6: channels[0].readings: 1: true or false is wanted"),
        (GOOD + "rate_hz = true\n", "channels[0].rate_hz: true: a whole number is wanted"),
        (GOOD + "rate_khz = 1\n", "node.toml, line 6: channels[0].rate_khz: no such setting; there are: "),
        (GOOD + "rate_khz = 1\n", "; did you mean rate_hz?"),
        (GOOD + 'detectors = [{kind = "zscor"}]\n', "node.toml, line 6: channels[0].detectors[0].kind: "),
        (GOOD + 'detectors = [{kind = "zscor"}]\n', "; did you mean zscore?"),
        (GOOD.replace("link", "lnk"), "node.toml, line 5: channels[0].source.kind: 'lnk' is not one of"),
        ('storage = {kind = "flash"}\n' + GOOD, "node.toml, line 1: storage.kind: 'flash' is not one of"),
        ('storage = {kind = "folder"}\n' + GOOD, "storage.path: name the folder"),
        ('action = {kind = "relay"}\n' + GOOD, "node.toml, line 1: action.kind: 'relay' is not one of: virtual, pin"),
        ('device = "kw"\n[[channels]]\nname = "a"\n', "node.toml, line 2: channels[0].source: is missing"),
        (GOOD + f'sensor_id = "{"x" * 1000}"\n', "channels: names and units take "),
    ],
)
def test_configuration_that_a_node_refuses_is_told_with_its_line(text, told, explain):
    code, said = explain(text)
    assert code == EXIT_USAGE
    assert told in said and len(said.splitlines()) == 1 and "Error" not in said


def test_configuration_with_a_byte_order_mark_is_read(explain):
    code, said = explain(GOOD, "utf-8-sig")
    assert code == EXIT_OK and "channel vib: zscore" in said


def test_explain_of_a_microphone_and_of_a_channel_without_judges_says_so(explain):
    heard = 'kind = "microphone"\nhear = {models = ["a.kwm"]}\n'
    code, said = explain(GOOD.replace('"link"', '"wav", path = "x"') + heard)
    assert code == EXIT_OK and "channel vib: hearing" in said
    code, said = explain(GOOD + "detectors = []\n")
    assert code == EXIT_OK and "nothing is judged" in said


def test_port_that_is_a_targets_name_is_no_port(capsys):
    for verb in (["flash", "esp32-devkitc", "--image", __file__], ["deploy"], ["doctor"]):
        assert app.run([*verb, "--port", "qemu:virt"]) == EXIT_USAGE
        assert "plug" not in capsys.readouterr().err


def test_run_of_a_script_that_hangs_says_how_to_give_it_longer(tmp_path, capsys):
    script = tmp_path / "hang.py"
    script.write_text("while True: pass\n")
    assert app.run(["run", str(script), "--timeout", "0.5"]) == 1
    assert (
        capsys.readouterr()
        .err.strip()
        .endswith("hang.py did not end within 0.5 s on unix; give it longer with --timeout")
    )


def test_boards_says_which_emulated_ones_cannot_start_here(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("KITTIWAKE_CACHE", str(tmp_path))
    assert app.run(["boards"]) == EXIT_OK
    lines = [line for line in capsys.readouterr().out.splitlines() if "target qemu:virt" in line]
    assert len(lines) == 1 and "not here: " in lines[0]
