"""`kittiwake record` on the unix target: files without gaps that the other commands take, and what it refuses."""

import json
import struct
import wave
from array import array

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_FAILED, EXIT_OK, EXIT_USAGE, TargetError
from kittiwake.runs import record
from kittiwake.signals import csv_column, wav
from kittiwake.target import open_target

RAMP = array("h", [(7 * i) % 4001 - 2000 for i in range(16000)])
CONFIG = """
device = "kw-record"
[[channels]]
name = "vib"
unit = "g"
scale = "1/4"
offset = "1"
source = {{kind = "timer", sensor = {{kind = "wave", path = "{path}"}}}}
[[channels]]
name = "hum"
rate_hz = 16000
source = {{kind = "replay", path = "{path}"}}
[[channels]]
name = "fed"
source = {{kind = "link"}}
[[channels]]
name = "quiet"
source = {{kind = "replay", path = "{empty}", follow = true}}
"""


@pytest.fixture
def config(tmp_path):
    (tmp_path / "ramp.bin").write_bytes(RAMP.tobytes())
    (tmp_path / "empty.bin").write_bytes(b"")
    path = tmp_path / "node.toml"
    path.write_text(CONFIG.format(path=tmp_path / "ramp.bin", empty=tmp_path / "empty.bin"))
    return path


def command(config, output, *options):
    return app.run(["record", "--target", "unix", "-c", str(config), "-o", str(output), *options])


def test_record_csv_has_each_sample_once_in_lsb_and_units(config, tmp_path, capsys):
    output = tmp_path / "vib.csv"
    assert command(config, output, "--seconds", "0.5", "--label", 'worn, "left"', "--json") == EXIT_OK
    told = json.loads(capsys.readouterr().out)
    assert (told["samples"], told["rate_hz"], told["whole"], told["channel"]) == (500, 1000, True, "vib")
    assert [int(v) for v in csv_column.read_column(output, "raw").values] == RAMP[:500].tolist()
    assert [float(v) for v in csv_column.read_column(output, "value").values] == [x / 4 + 1 for x in RAMP[:500]]
    assert output.read_text().splitlines()[:2] == ["time_s,raw,value,label", '0.000000,-2000,-499.0,"worn, ""left"""']
    assert csv_column.read_times(output, "label")[499] == 'worn, "left"'
    assert app.run(["detect", str(output), "--column", "raw"]) == EXIT_OK


def test_record_longer_than_the_boards_memory_is_sent_while_it_is_made(config, tmp_path):
    with open_target("unix", heap_bytes=192 * 1024) as board:
        long = array("h", [i % 30011 - 15000 for i in range(60000)])
        (tmp_path / "long.bin").write_bytes(long.tobytes())
        channel = {"rate_hz": 0, "source": {"kind": "replay", "path": str(tmp_path / "long.bin")}}
        progress = []
        made = record.record(board, {"channels": [channel]}, "0", 60.0, lambda *told: progress.append(told))
        assert made.samples == long and made.is_whole
        assert progress[0] == (128, 60000) and progress[-1] == (60000, 60000)


def test_record_wav_is_what_listen_reads_and_tells_its_label(config, tmp_path):
    output = tmp_path / "hum.wav"
    assert command(config, output, "--channel", "hum", "--seconds", "0.25", "--label", "hum") == EXIT_OK
    assert wav.read_wav(output) == RAMP[:4000]
    with wave.open(str(output)) as read:
        assert (read.getframerate(), read.getnchannels(), read.getnframes()) == (16000, 1, 4000)
    content = output.read_bytes()
    at = content.index(b"INAM")
    assert content[at : at + 12] == b"INAM" + struct.pack("<I", 4) + b"hum\0"
    assert b"kw-record/hum\0" in content


def test_record_source_that_ends_or_is_silent_is_told_and_keeps_what_there_was(config, tmp_path, capsys):
    output = tmp_path / "short.csv"
    assert command(config, output, "--channel", "hum", "--seconds", "1.5") == EXIT_FAILED
    assert "its source ended" in capsys.readouterr().err
    assert len(output.read_text().splitlines()) == 16001
    assert command(config, tmp_path / "none.csv", "--channel", "quiet", "--seconds", "1") == EXIT_FAILED
    assert "the sensor gives nothing" in capsys.readouterr().err
    assert not (tmp_path / "none.csv").exists()


class Gappy:
    """A board whose samples stop at a gap, as the agent tells it."""

    name = "gappy"

    def exec(self, code, timeout_s=10.0):
        return json.dumps(["kw", [{"name": "0", "rate_hz": 10, "source": {}, "scale": "1", "offset": "0", "unit": ""}]])

    def exec_lines(self, code, idle_s=10.0):
        yield from ("stream", "AQACAA==", "gap")


def test_record_ends_at_a_gap_with_what_came_before():
    made = record.record(Gappy(), {})
    assert (made.samples.tolist(), made.is_whole) == ([1, 2], False) and "samples were lost" in made.why


LOSSY = """
from kittiwake_node.io import parts, source
class Lossy(source.Source):
    def read_into(self, buf):
        self.count += 1
        buf[0] = self.count
        self.overruns = int(self.count > 300)
        return 1
parts.make_source = lambda channel, clock: Lossy()
"""


@pytest.mark.parametrize("seconds", [0.4, 600.0])
def test_record_agent_stops_at_the_first_sample_lost(seconds):
    """Both ways, kept in memory and sent at once: the sample read with the loss may be from behind the gap."""
    with open_target("unix") as board:
        board.exec(LOSSY)
        late = {"channels": [{"source": {"kind": "replay", "path": "x"}}]}
        assert record.record(board, late, "0", 0.4).is_whole  # a recording is late, and loses nothing
        channel = {"rate_hz": 1000, "source": {"kind": "adc", "pin": 1}}
        made = record.record(board, {"channels": [channel]}, "0", seconds)
        assert made.samples.tolist() == list(range(1, 301)) and not made.is_whole


def test_record_interrupted_board_is_usable_again():
    with open_target("unix") as board:
        lines = board.exec_lines("print('one')\nprint('two')\nwhile True: pass")
        assert next(lines) == "one"
        lines.close()
        board.start()
        assert board.exec("print(3)") == "3\n"
        assert list(board.exec_lines("print('a')\nprint('b', end='')")) == ["a", "b"]
        with pytest.raises(TargetError, match="ZeroDivisionError"):
            list(board.exec_lines("print(1)\n1 // 0"))


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--channel", "fed"], "its samples come over the link"),
        (["--channel", "nothing"], "there are: vib, hum, fed, quiet"),
        (["-o", "{}/x.mp3"], "neither .csv nor .wav"),
        (["-o", "{}/ramp.bin.csv"], "is there already"),
        (["-o", "{}/nowhere/x.csv"], "is no folder"),
        (["--port", "/dev/ttyX"], "name a port or a target, one of them"),
    ],
)
def test_record_refusals_are_one_line_and_write_nothing(config, tmp_path, capsys, options, why):
    (tmp_path / "ramp.bin.csv").write_text("kept")
    before = sorted(tmp_path.iterdir())
    assert command(config, tmp_path / "x.csv", *[o.format(tmp_path) for o in options]) == EXIT_USAGE
    err = [line for line in capsys.readouterr().err.splitlines() if line.startswith("kittiwake: ")]
    assert len(err) == 1 and why in err[0]
    assert sorted(tmp_path.iterdir()) == before and (tmp_path / "ramp.bin.csv").read_text() == "kept"


def test_record_refused_configuration_is_the_firmwares_own_word(config, tmp_path, capsys):
    config.write_text(config.read_text().replace('unit = "g"', "bits = 77"))
    assert command(config, tmp_path / "x.csv") == EXIT_USAGE
    assert "77 is not within 8 to 16" in capsys.readouterr().err
