"""Deploying to an emulated board over its console: whole or not at all, wherever the power is cut."""

import json
import random
import time

import pytest

import kittiwake
from kittiwake.cli import app
from kittiwake.deploy import deployment, inputs
from kittiwake.deploy.slots import Slots
from kittiwake.errors import EXIT_OK, EXIT_VERIFICATION, ConfigError, KittiwakeError, PortLostError, VerificationError
from kittiwake.target import open_target
from tests.support.hil import SOAK

NAMES = ["qemu:mps2-an385", "qemu:virt", "qemu:xtensa"]
CUTS = 100 if SOAK else 5
CONFIG = """
device = "kw-deploy"
health_s = 1
[[channels]]
summary_samples = 100
source = {kind = "link", room = 64}
"""
NODE = """
from . import first, second, third
def read_file(path):
    return {}
def refusal(config):
    return ""
def run_file(path):
    versions = [first.VERSION, second.VERSION, third.VERSION, VERSION]
    print("whole" if len(set(versions)) == 1 else "mixed", VERSION)
"""
PARTS = ("first", "second", "third")
_WRITTEN = "import kwflash\n_s = kwflash.stats()\nprint(_s['programs'], _s['erases'], _s['programmed_bytes'])"
_NOTHING = {"link": {"kind": "kwboard"}, "storage": {"kind": "kwflash"}, "channels": []}


def quiet(text):
    """No progress."""


@pytest.fixture(scope="module", params=NAMES)
def emulated(request):
    with open_target(request.param, deploy=False) as machine:
        machine.exec("")
        machine.release_console()
        machine.set_strap(run_main=True)
        yield machine


def small_application(version):
    """Four modules that tell whether they belong together, and one that does not change."""
    text = f"VERSION = {version}\n"
    files = {f"kittiwake_node/{name}.py": (text + "PAD = '" + "x" * 900 + "'\n").encode() for name in PARTS}
    node = {"kittiwake_node/__init__.py": b"", "kittiwake_node/node.py": (text + NODE).encode()}
    return {**files, **node, "main.py": kittiwake.firmware_files()["main.py"]}


def deploy_small(machine, version, cut_at=None, delay_s=0.0):
    """Deploy over the console; the supply is cut `delay_s` after the board began what it was sent as `cut_at`.

    Returns (exchanges, whether it was cut).
    """
    count, is_cut = 0, False
    with open_target(machine.console_port) as board:
        submit = board._repl.submit

        def submit_and_cut(code, timeout_s=10.0):
            nonlocal count, is_cut
            submit(code, timeout_s)
            count += 1
            if count - 1 == cut_at:
                time.sleep(delay_s)
                machine.cut_power()
                is_cut = True
                raise PortLostError("the supply was cut")

        board._repl.submit = submit_and_cut
        try:
            deployment.deploy_to(
                board, inputs.Deployment(board.name, start=False), _NOTHING, {}, small_application(version), quiet
            )
        except KittiwakeError:
            if not is_cut:
                raise
    return count, is_cut


def boot(machine):
    """What main.py starts on the board after a power cut."""
    machine.cut_power()
    machine.start()
    told = machine.exec("exec(open('main.py').read())").split()
    machine.cut_power()
    machine.start()
    machine.release_console()
    return told


@pytest.mark.timeout(3600 if SOAK else 180)
def test_deploy_cut_at_random_instants_boots_old_or_new_whole(emulated):
    rng = random.Random(9)
    exchanges, _ = deploy_small(emulated, 1)
    assert boot(emulated) == ["whole", "1"]
    runs, outcomes, cuts = 1, {"old": 0, "new": 0}, 0
    version = 1
    while cuts < CUTS:
        version += 1
        assert version < 4 * CUTS, "most deploys end before their cut"
        _, is_cut = deploy_small(emulated, version, rng.randrange(exchanges), rng.random() * 0.01)
        cuts += is_cut
        told = boot(emulated)
        assert told in (["whole", str(runs)], ["whole", str(version)]), (version, told)
        outcomes["old" if told[1] == str(runs) else "new"] += 1
        runs = int(told[1])
    assert outcomes["old"]
    deploy_small(emulated, 9999)
    assert boot(emulated) == ["whole", "9999"]


def test_deploy_judged_whole_only_when_parts_belong_together(emulated):
    """The judge of the test above can fail: a part of another version, behind the slots' back, is seen."""
    deploy_small(emulated, 1)
    with open_target(emulated.console_port) as board:
        slot = Slots(board).active
        board.deploy(board.compiled({f"{slot}/kittiwake_node/second.py": b"VERSION = 0\n"}))
    assert boot(emulated) == ["mixed", "1"]


def test_deploy_broken_application_is_refused_and_the_old_one_stays(emulated):
    deploy_small(emulated, 5)
    broken = {**small_application(6), "kittiwake_node/first.py": b"import no_such_module\n"}
    with open_target(emulated.console_port) as board:
        with pytest.raises(VerificationError, match="no_such_module.*still has the old application"):
            deployment.deploy_to(board, inputs.Deployment(board.name, start=False), _NOTHING, {}, broken, quiet)
    assert boot(emulated) == ["whole", "5"]


def test_console_of_a_board_cut_off_while_input_was_on_its_way_answers_after_its_start(emulated):
    # Regression: a byte that came before its interrupt was let through kept all others out; others made a prompt of a
    # kind that was not asked for.
    rng = random.Random(1)
    for _ in range(200 if SOAK else 15):
        with open_target(emulated.console_port) as board:
            board.exec("1")
            sent = rng.choice(
                [b"\x05A\x01" + b"x" * rng.randrange(400), b"\x03\x04" * 3, b"", b"\x01\x05A\x01print(1)\x04"]
            )
            board._stream._port.write(sent)
        time.sleep(rng.choice([0, rng.random() * 0.003]))
        emulated.cut_power()
        emulated.start()
        assert emulated.exec("print(2)") == "2\n"
        emulated.release_console()


def test_deploy_for_another_architecture_is_refused(emulated):
    other, arch = ("esp32-devkitc", "xtensawin") if emulated.name != "qemu:xtensa" else ("pyboard-v1.1", "armv7emsp")
    with open_target(emulated.console_port) as board:
        settings = inputs.Deployment(board.name, other)
        with pytest.raises(ConfigError, match=f"{other} is {arch}"):
            deployment.deploy_to(board, settings, _NOTHING, {}, small_application(1), quiet)


def test_deploy_whole_firmware_runs_then_unchanged_writes_nothing(tmp_path, capsys):
    config = tmp_path / "node.toml"
    config.write_text(CONFIG)
    with open_target(NAMES[0], deploy=False) as machine:
        machine.exec("")
        machine.release_console()
        machine.set_strap(run_main=True)
        command = ["deploy", "qemu-mps2-an385", "--port", machine.console_port, "--json"]
        assert app.run([*command, "--link", machine.link_port, "-c", str(config)]) == EXIT_OK
        done = json.loads(capsys.readouterr().out)
        assert done["state"] == "running" and len(done["changed"]) == done["files"]

        machine.interrupt()
        programs = machine.exec(_WRITTEN)
        machine.release_console()
        assert app.run([*command, "--no-start"]) == EXIT_OK
        done = json.loads(capsys.readouterr().out)
        assert done["state"] == "unchanged" and done["changed"] == []
        assert machine.exec(_WRITTEN) == programs


CANNOT_START = (
    ('"uart:1"', '{kind = "link"}', "no UART 1 with these pins"),
    ('{kind = "kwboard"}', '{kind = "adc", pin = 3}', "no converter there"),
    ('"stdio"', '{kind = "adc", pin = 3}', "no converter there"),
)


@pytest.mark.parametrize(
    ("emulated", "link", "source", "why"),
    [
        # Each cause on one board, and on every board in the soak: what differs between boards is how long it takes.
        pytest.param(name, *cause, marks=[] if (at + turn) % len(NAMES) == 0 else [pytest.mark.soak])
        for at, name in enumerate(NAMES)
        for turn, cause in enumerate(CANNOT_START)
    ],
    indirect=["emulated"],
)
def test_deploy_of_a_node_that_cannot_start_is_exit_5_with_the_reason(link, source, why, emulated, tmp_path, capsys):
    # Regression: where the link was not the console's, a node that had ended was called started.
    config = tmp_path / "node.toml"
    command = ["deploy", "--port", emulated.console_port, "-c", str(config)]
    emulated.set_strap(run_main=True)
    config.write_text('device = "kw-good"\nlink = {kind = "kwboard"}\n[[channels]]\nsource = {kind = "link"}\n')
    assert app.run(command) == EXIT_OK, capsys.readouterr().err
    assert "kw-good runs; whether its link (kwboard)" in capsys.readouterr().err
    config.write_text(f"link = {link}\n[[channels]]\nsource = {source}\n")
    assert app.run(command) == EXIT_VERIFICATION
    last = capsys.readouterr().err.strip().splitlines()[-1]
    assert why in last and "runs again" in last
