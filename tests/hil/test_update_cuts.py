"""Releases over the link of emulated boards, the power cut at random instants: never a brick, in the end the new one.

The cut is the emulator's reset between any two instructions, from the node's start to the end of the trial; the flash
is slowed down so that some cuts fall into a program or an erase, which it counts. After each the slot that main.py
would start must be the old or the new application, each file as it was compiled. The journal stays the same one, and
no number in it has two records.
KITTIWAKE_SOAK=1 makes 200 cuts on each board, CI five on one.
"""

import hashlib
import json
import random
import threading
import time

import pytest

from kittiwake import board_code
from kittiwake.release import container
from kittiwake.supply import shelf
from kittiwake.target import open_target
from kittiwake_node.update import manifest, slots
from tests.support import release_keys
from tests.support.deployments import application, install
from tests.support.hil import SOAK, Gateway
from tests.support.offered_release import ON_TRIAL, Offered
from tests.support.releases import release

CUTS = 200 if SOAK else 5
NAMES = ["qemu:mps2-an385", "qemu:virt", "qemu:xtensa"] if SOAK else ["qemu:mps2-an385"]
LIMIT_S = 120
# Turns of an empty loop for each 128 bytes of flash. With ten times as many a fifth of the cuts fall into an operation,
# and one board takes two hours; each operation, cut before it and in its middle, is tests/powercut's.
SPIN = 400
_BOOT = f"import kwflash\nkwflash.files.spin = {SPIN}\n".encode()
_SETTINGS = {
    "health_s": 1,
    "commit_ms": 100,
    "channels": [
        {
            "rate_hz": 100,
            "summary_samples": 100,
            "source": {"kind": "timer", "room": 256, "sensor": {"kind": "wave", "path": "wave.i16"}},
        }
    ],
}
CONFIG = {"device": "kw-cuts", "link": {"kind": "kwboard"}, "storage": {"kind": "kwflash"}, **_SETTINGS}
# What main.py would start, by its own functions, and the hash of what is there.
_STANDING = """
def standing(own):
    with open("main.py") as file:
        source = file.read()
    names = {}
    exec(source[: source.rindex("_main()")], names)
    slot = max(("app-a", "app-b"), key=names["_standing"])
    digest = hashlib.sha256()
    for path in sorted(files_under(slot, [])):
        if path[6:] not in own:
            digest.update((file_hash(path) + " " + path[6:] + "\\n").encode())
    with open(slot + "/node.json") as file:
        settings = file.read()
    return [slot, names["_standing"](slot)[0], binascii.hexlify(digest.digest()).decode(), settings]
"""
_OWN = (*manifest.MARKS, "node.json")


def digest_of(files):
    """As the board gives it, of an application's files."""
    listing = "".join(
        f"{hashlib.sha256(files[path]).hexdigest()} {path}\n" for path in sorted(files) if path not in _OWN
    )
    return hashlib.sha256(listing.encode()).hexdigest()


class Plant:
    """A board with a supply that fails, and what may run on it."""

    def __init__(self, name, machine):
        self.machine = machine
        self.board = name.replace("qemu:", "qemu-")
        install(machine, 1, CONFIG, _BOOT)
        machine.deploy(
            {
                "wave.i16": bytes(512),
                "provision/release-0": release_keys.modulus_of(release_keys.private_key()),
                "provision.json": json.dumps({"release": {"keys_file": "provision/release-0"}}).encode(),
            }
        )
        self.digests = {1: digest_of(application(1, machine.facts(), CONFIG))}

    def make(self, counter):
        """A release, and what a slot holds of it."""
        raw = release(counter, boards=[self.board], config=_SETTINGS, trial_s=10)
        files = {file.path: file.content for file in container.read(raw, "it").files(0)}
        self.digests[counter] = digest_of(files)
        return shelf.parse("it", raw)

    def standing(self):
        """Which application would start now: its number. The board is at its prompt."""
        self.machine.exec(board_code.source("deploy/slots") + _STANDING)
        text = self.machine.exec(f"print_json(standing({_OWN!r}))", 60)
        slot, number, digest, settings = json.loads(text)
        assert number, "nothing would start"
        assert json.loads(settings)["device"] == CONFIG["device"], settings
        known = [counter for counter, whole in self.digests.items() if whole == digest]
        assert known, f"{slot} would start, and is not whole"
        return known[0]


class Witness:
    """What a gateway has of the journal: the same one throughout, and each number with one record."""

    def __init__(self, gateway):
        self._gateway, self._read = gateway, 0
        self._journal, self.records = None, {}

    def look(self):
        gateway = self._gateway
        self._journal = self._journal or gateway.session.journal
        assert gateway.session.journal in (None, self._journal), "the journal is a new one"
        for record in gateway.records[self._read :]:
            body = (record.type, record.boot, record.time_ms, bytes(record.payload))
            assert self.records.setdefault(record.seq, body) == body, f"number {record.seq} was given twice"
        self._read = len(gateway.records)


def run_and_cut(machine, offered, after_s):
    """Go on with an update until its end, or the cut of the power; returns whether it was cut."""
    is_cut = threading.Event()
    timer = threading.Timer(after_s, lambda: (machine.cut_power(), is_cut.set()))
    timer.start()
    try:
        offered.until(lambda: is_cut.is_set() or offered.has_proved_itself, LIMIT_S)
    finally:
        timer.cancel()
        timer.join()
    return is_cut.is_set()


@pytest.mark.timeout(7200 if SOAK else 240)
@pytest.mark.parametrize("name", NAMES)
def test_update_cut_at_random_instants_leaves_a_whole_application_and_ends_with_the_new_one(name):
    rng = random.Random(f"{name} updates")
    with open_target(name, deploy=False) as machine:
        plant = Plant(name, machine)
        machine.start_node()
        with Gateway(machine.link_port) as gateway:
            witness = Witness(gateway)
            offered = Offered(gateway, plant.make(2))
            begun_s = time.monotonic()
            assert offered.until(lambda: offered.has_proved_itself, LIMIT_S), offered.text
            lasts_s = time.monotonic() - begun_s
            counter, cuts, ends, on_trial = 2, 0, {"old": 0, "new": 0}, 0
            while cuts < CUTS:
                counter += 1
                offered = Offered(gateway, plant.make(counter))
                while not offered.has_proved_itself and cuts < CUTS:
                    is_cut = run_and_cut(machine, offered, rng.random() * 1.2 * lasts_s)
                    witness.look()
                    if is_cut:
                        cuts += 1
                        on_trial += offered.state == ON_TRIAL
                        machine.start()
                        runs = plant.standing()
                        assert runs in (counter - 1, counter), f"{runs} would run during the update to {counter}"
                        ends["new" if runs == counter else "old"] += 1
                        machine.start_node()
                assert counter < 2 * CUTS + 4, "most updates end before their cut"
            assert offered.until(lambda: offered.has_proved_itself, LIMIT_S), offered.text
            witness.look()
        machine.interrupt()
        assert plant.standing() == counter
        stats = json.loads(machine.exec("import json, kwflash\nprint(json.dumps(kwflash.stats()))"))
    seqs = sorted(witness.records)
    assert seqs == list(range(seqs[0], seqs[0] + len(seqs))), "a record is missing"
    torn = stats["torn_programs"] + stats["torn_erases"]
    print(
        f"{name}: {cuts} cuts in {counter - 1} updates, {torn} within an operation of the flash, {on_trial} on trial, "
        f"then {ends['old']} times the old and {ends['new']} times the new application; {len(seqs)} records"
    )
    assert ends["old"] and (not SOAK or ends["new"] and torn)


def test_update_cuts_judge_sees_what_is_not_whole():
    """Shows that the judge above can fail: a module of another version, and a mark of a slot that is not whole."""
    with open_target(NAMES[0], deploy=False) as machine:
        plant = Plant(NAMES[0], machine)
        assert plant.standing() == 1
        other = application(2, machine.facts(), CONFIG)["kittiwake_node/link/frame.mpy"]
        machine.deploy({"app-b/kittiwake_node/link/frame.mpy": other})
        assert plant.standing() == 1
        machine.exec(f"write_text('app-b/{slots.TRIAL}', '9 ' + '%08x' % binascii.crc32(b'9'))")
        machine.exec("remove_file('app-b/ready')")
        with pytest.raises(AssertionError, match="app-b would start, and is not whole"):
            plant.standing()
