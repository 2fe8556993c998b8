"""`kittiwake record` over an emulated board's console, while a node had the board; it has it again afterwards."""

import json
from array import array

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK
from kittiwake.ports import survey
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.runs import record
from kittiwake.signals import csv_column
from kittiwake.target import open_target
from tests.support.waiting import until

NAMES = ["qemu:mps2-an385", "qemu:virt", "qemu:xtensa"]
WAVE = array("h", [(31 * i) % 4001 - 2000 for i in range(3000)])
CHANNEL = {"name": "vib", "source": {"kind": "timer", "sensor": {"kind": "wave", "path": "wave.bin"}}}


@pytest.mark.parametrize("name", NAMES)
def test_record_takes_each_sample_of_a_timer_and_gives_the_board_back(name, request, tmp_path, capsys):
    refuse_or_skip(request.config, name)
    with open_target(name) as machine:
        machine.deploy({"wave.bin": WAVE.tobytes()})
        machine.run_node({"device": "kw-record", "link": {"kind": "stdio"}, "channels": [CHANNEL]})
        output = tmp_path / "vib.csv"
        command = ["record", "--port", machine.console_port, "-o", str(output), "--seconds", "2", "--json"]
        assert app.run(command) == EXIT_OK, capsys.readouterr().err
        assert json.loads(capsys.readouterr().out)["samples"] == 2000
        assert [int(value) for value in csv_column.read_column(output, "raw").values] == WAVE[:2000].tolist()
        # On a busy machine the node is not up when it is asked first.
        until(lambda: survey.ask_port(machine.console_port).state == "node", "an answer from the node")


def test_record_interrupted_by_its_user_gives_the_board_back(request, tmp_path, capsys, monkeypatch):
    refuse_or_skip(request.config, NAMES[0])

    def interrupted(*_):
        raise KeyboardInterrupt

    with open_target(NAMES[0]) as machine:
        machine.deploy({"wave.bin": WAVE.tobytes()})
        machine.run_node({"device": "kw-record", "link": {"kind": "stdio"}, "channels": [CHANNEL]})
        monkeypatch.setattr(record, "record", interrupted)
        assert app.run(["record", "--port", machine.console_port, "-o", str(tmp_path / "x.csv")]) == 130
        assert survey.ask_port(machine.console_port).state == "node"
        assert list(tmp_path.iterdir()) == []
