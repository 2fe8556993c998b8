"""`kittiwake doctor` and `provision` over an emulated board's console, while a node has the board."""

import json

import pytest

from kittiwake.cli import app
from kittiwake.errors import EXIT_OK, EXIT_VERIFICATION
from kittiwake.ports import survey
from kittiwake.pytest_plugin import refuse_or_skip
from kittiwake.target import open_target

NAMES = ["qemu:mps2-an385", "qemu:virt", "qemu:xtensa"]
BUS = {"kind": "sbcon", "base": 0x4002A000}
SENSOR = {"name": "heat", "rate_hz": 20, "source": {"kind": "tmp105", "i2c": BUS}}
FED = {"name": "fed", "source": {"kind": "link"}}


def run_node(machine, channels):
    machine.run_node({"device": "fleet", "link": {"kind": "stdio"}, "channels": channels})


def doctor(machine, capsys):
    code = app.run(["doctor", "--port", machine.console_port, "--json"])
    told = json.loads(capsys.readouterr().out)
    return code, {finding["check"]: finding for finding in told["findings"]}


@pytest.mark.parametrize("name", NAMES)
def test_doctor_over_the_console_finds_a_sound_node_and_starts_it_again(name, request, capsys):
    refuse_or_skip(request.config, name)
    with open_target(name) as machine:
        run_node(machine, [FED])
        while survey.ask_port(machine.console_port).state != "node":
            machine.check_running()
        command = ["provision", "--port", machine.console_port, "--device", "press-7"]
        assert app.run(command) == EXIT_OK, capsys.readouterr().err
        assert capsys.readouterr().out.splitlines()[0] == "device       press-7"
        code, found = doctor(machine, capsys)
        assert code == EXIT_OK, found
        assert found["link"]["detail"] == "press-7 answers on this port"
        assert found["provisioned"]["detail"] == "name press-7"
        assert found["journal"]["state"] == "ok" and " 0 records wait" not in found["journal"]["detail"]
        assert survey.ask_port(machine.console_port).detail == "press-7"


@pytest.mark.parametrize("is_there", [True, False])
def test_doctor_asks_a_sensor_on_a_bus(is_there, request, capsys):
    refuse_or_skip(request.config, NAMES[0])
    arguments = ["-device", "tmp105,id=sensor,address=0x48"] if is_there else []
    with open_target(NAMES[0], arguments=arguments) as machine:
        run_node(machine, [SENSOR])
        code, found = doctor(machine, capsys)
        heat = found["channel heat"]
        if is_there:
            assert code == EXIT_OK and heat["detail"].startswith("tmp105: ")
        else:
            assert code == EXIT_VERIFICATION and heat["state"] == "wrong" and heat["mend"]
            assert found["link"]["detail"].startswith("the node does not run: ") and found["link"]["state"] == "wrong"


def test_doctor_over_the_console_of_a_node_whose_link_is_another_port(request, capsys):
    refuse_or_skip(request.config, NAMES[0])
    with open_target(NAMES[0]) as machine:
        machine.run_node({"device": "press-8", "channels": [FED]})
        code, found = doctor(machine, capsys)
        assert code == EXIT_OK, found
        assert found["link"]["detail"] == "kwboard: press-8 runs; where its link leads shows at its end"
        machine.interrupt()
        machine.run_node({"device": "press-8", "link": {"kind": "uart", "id": 1}, "channels": [FED]})
        code, found = doctor(machine, capsys)
        assert code == EXIT_VERIFICATION
        assert found["link"]["state"] == "wrong" and "no UART 1 with these pins" in found["link"]["detail"]
