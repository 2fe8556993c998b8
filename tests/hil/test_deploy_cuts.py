"""Deploying the whole firmware over a console, the power cut at random instants: never a brick.

The cut is the emulator's reset between any two instructions, while bytes are on their way both ways; the flash is
slowed down so that many cuts fall into a program or an erase, which it counts. After each cut the board starts main.py
by itself: the node must answer over its link, be all of one version, and lie in its slot byte for byte as it was
compiled.
KITTIWAKE_SOAK=1 makes 100 cuts on each board, CI three on one.
"""

import json
import random
import threading
import time

import pytest

from kittiwake.deploy import deployment, inputs
from kittiwake.deploy.slots import Slots
from kittiwake.errors import PortLostError
from kittiwake.target import open_target
from tests.support.deployments import application, install, version_of
from tests.support.hil import SOAK, Gateway

CUTS = 100 if SOAK else 3
NAMES = ["qemu:mps2-an385", "qemu:virt", "qemu:xtensa"] if SOAK else ["qemu:mps2-an385"]
CONFIG = {
    "device": "kw-cuts",
    "health_s": 1,
    "link": {"kind": "kwboard"},
    "storage": {"kind": "kwflash"},
    "channels": [{"summary_samples": 100, "source": {"kind": "link", "room": 64}}],
}
# Turns of an empty loop for each 128 bytes of flash: about 450,000 instructions.
SPIN = 12_000
# Of writing `ready`, flash as slow as that.
SWITCH_S = 0.15
_BOOT = f"import kwflash\nkwflash.files.spin = {SPIN}\n".encode()
_LOADED = """
import json, sys
print(json.dumps([sorted({m.KW_VERSION for m in sys.modules.values() if hasattr(m, "KW_VERSION")}), sys.path]))
"""


class Supply:
    """A board's supply while it is deployed to over its console, and the cut of it.

    Args:
        machine: emulated, its console free.
        after_s: seconds from the first byte to the cut; None for none.
        from_switch: seconds from when the board is told to switch, instead.
    """

    def __init__(self, machine, after_s=None, from_switch=False):
        self._machine, self._after_s, self._from_switch = machine, after_s, from_switch
        self.is_cut = threading.Event()
        self.lasted_s = 0.0

    def deploy(self, number):
        """Deploy a version; returns whether it got through."""
        machine, timer = self._machine, None
        application(number, machine.facts(), CONFIG)  # compiled before the clock runs
        machine.release_console()
        with open_target(machine.console_port) as board:
            read = board._stream.read

            def read_or_lose(timeout_s):
                deadline = time.monotonic() + timeout_s
                while True:
                    if self.is_cut.is_set():
                        raise PortLostError("the board went away")
                    if (data := read(0.0)) or time.monotonic() >= deadline:
                        return data

            board._stream.read = read_or_lose
            begun = time.monotonic()
            if self._after_s is not None:
                timer = threading.Timer(self._after_s, self._cut)
                execute = board.exec

                def execute_and_watch(code, *limit):
                    if code.startswith("write_text('app-"):
                        timer.start()
                    return execute(code, *limit)

                if self._from_switch:
                    board.exec = execute_and_watch
                else:
                    timer.start()
            try:
                job = inputs.Deployment(board.name, start=False)
                deployment.deploy_to(board, job, CONFIG, {}, version_of(number), lambda text: None)
                self.lasted_s = time.monotonic() - begun
                return True
            except PortLostError as error:
                assert self.is_cut.is_set(), error
                return False
            finally:
                if timer is not None:
                    timer.cancel()
                    if timer.ident is not None:
                        timer.join()

    def _cut(self):
        self._machine.cut_power()
        self.is_cut.set()


def boot(machine):
    """Switch the board on; what runs then, and where from: (version, slot). Leaves it at its prompt."""
    machine.cut_power()
    machine.start()  # held: what was on its way when the supply failed would be typed at the node
    machine.cut_power()
    machine.set_strap(run_main=True)
    machine._machine.is_off = False
    machine._node_is_running = True
    machine.qmp("cont")
    with Gateway(machine.link_port) as gateway:
        gateway.open()
    machine.interrupt()
    versions, path = json.loads(machine.exec(_LOADED))
    assert len(versions) == 1, f"modules of versions {versions} run together"
    (slot,) = [place for place in path if place.startswith("app-")]
    return versions[0], slot


def assert_whole(machine, slot, files):
    """Each file of the slot is as it was compiled, and there is no other."""
    assert Slots(machine).differing(slot, files) == []


@pytest.mark.timeout(3600 if SOAK else 240)
@pytest.mark.parametrize("name", NAMES)
def test_deploy_of_the_firmware_cut_at_random_instants_never_bricks_the_board(name):
    rng = random.Random(f"{name} deploys")
    with open_target(name, deploy=False) as machine:
        facts = machine.facts()
        install(machine, 1, CONFIG, _BOOT)
        assert boot(machine) == (1, "app-a")
        usual = Supply(machine)
        assert usual.deploy(2)
        lasts_s = usual.lasted_s
        assert boot(machine) == (2, "app-b")
        runs, number, ends = 2, 2, {"old": 0, "new": 0, "not cut": 0}
        while ends["old"] + ends["new"] < CUTS:
            number += 1
            # One in four from when the board is told to switch on.
            switches = number % 4 == 0
            supply = Supply(machine, rng.random() * (SWITCH_S if switches else lasts_s), switches)
            is_through = supply.deploy(number)
            runs_now, slot = boot(machine)
            assert runs_now == number if is_through else runs_now in (runs, number)
            assert_whole(machine, slot, application(runs_now, facts, CONFIG))
            outcome = "not cut" if not supply.is_cut.is_set() else "new" if runs_now == number else "old"
            ends[outcome] += 1
            runs = runs_now
            assert number < 3 * CUTS + 3, "most deployments end before their cut"
        stats = json.loads(machine.exec("import json, kwflash\nprint(json.dumps(kwflash.stats()))"))
    torn = stats["torn_programs"] + stats["torn_erases"]
    print(f"{name}: {ends}, {stats['torn_programs']} cuts within a program, {stats['torn_erases']} within an erase")
    assert ends["old"]
    assert not SOAK or torn >= CUTS / 4 and ends["new"]


def test_deploy_cuts_judge_sees_a_damaged_file():
    """Shows that the judge above can fail: one bit, one stranger, one module of another version."""
    with open_target(NAMES[0], deploy=False) as machine:
        facts = machine.facts()
        install(machine, 1, CONFIG, _BOOT)
        files = application(1, facts, CONFIG)
        assert_whole(machine, "app-a", files)
        other = application(2, facts, CONFIG)["kittiwake_node/link/frame.mpy"]
        machine.deploy({"app-a/kittiwake_node/link/frame.mpy": other})
        with pytest.raises(AssertionError, match="frame.mpy"):
            assert_whole(machine, "app-a", files)
        with pytest.raises(AssertionError, match="run together"):
            boot(machine)
        machine.deploy({"app-a/kittiwake_node/link/frame.mpy": files["kittiwake_node/link/frame.mpy"]})
        machine.exec("open('app-a/stranger', 'w').close()")
        with pytest.raises(AssertionError, match="stranger"):
            assert_whole(machine, "app-a", files)
