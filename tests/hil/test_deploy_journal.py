"""A journal in the file system that is deployed to: its records and their numbers survive, and all arrive."""

import binascii
import json

import pytest

import kittiwake
from kittiwake.deploy import deployment, inputs
from kittiwake.target import open_target
from kittiwake_node.link import record
from tests.support.deployments import install, version_of
from tests.support.hil import Gateway

# Two applications leave too little room for a journal beside them on the others; here they do without sensors' drivers.
NAMES = ["qemu:mps2-an385"]
DRIVERS = ("adc", "audio", "i2c_bitbang", "i2c_bus", "i2s", "lis3dh", "mpu6050", "replay", "tmp105", "wav", "wave")
STORAGE = {"kind": "folder", "path": "kittiwake"}
CONFIG = {
    "device": "kw-journal",
    "health_s": 1,
    "commit_ms": 100,
    "link": {"kind": "kwboard"},
    "storage": STORAGE,
    "channels": [{"summary_samples": 100, "source": {"kind": "link", "room": 64}}],
}
_LISTING = f"""
import binascii, json
from kittiwake_node.io import parts
from kittiwake_node.store.journal import Journal
_journal = Journal(parts.make_storage({STORAGE!r})[0], lambda: 0)
_at, _raw = _journal.acked, []
while True:
    _piece, _at = _journal.read(_at, 512)
    if not _piece:
        break
    _raw.append(binascii.hexlify(_piece).decode())
print(json.dumps([_journal.id, _journal.next_seq, sum(_journal.evicted), _journal.damaged, _raw]))
"""


def records_of(raw):
    """(seq, boot, payload) of each record in bytes of the journal."""
    found, offset = [], 0
    while offset < len(raw):
        entry, offset = record.decode(raw, offset)
        found.append((entry.seq, entry.boot, bytes(entry.payload)))
    return found


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", NAMES)
def test_deploy_leaves_the_journal_and_its_numbers_go_on(name, monkeypatch):
    without = {f"kittiwake_node/io/{name}.py" for name in DRIVERS}
    smaller = {path: content for path, content in kittiwake.firmware_files().items() if path not in without}
    monkeypatch.setattr(kittiwake, "firmware_files", lambda: smaller)
    with open_target(name, deploy=False) as machine:
        install(machine, 1, CONFIG)
        machine.start_node()
        with Gateway(machine.link_port) as gateway:
            gateway.acks = False
            gateway.until(lambda: len(gateway.records) >= 4, "no records")
        machine.interrupt()
        machine.exec("import sys\nsys.path.insert(0, 'app-a')")
        journal, next_seq, *losses, pieces = json.loads(machine.exec(_LISTING, 120))
        before = records_of(binascii.unhexlify("".join(pieces)))
        assert losses == [0, 0] and [seq for seq, _, _ in before] == list(range(next_seq)) and next_seq >= 4

        machine.release_console()
        machine.set_strap(run_main=True)
        with open_target(machine.console_port, link=machine.link_port) as board:
            job = inputs.Deployment(board.name, link=machine.link_port)
            done = deployment.deploy_to(board, job, CONFIG, {}, version_of(2), lambda text: None)
            assert (done["slot"], done["state"]) == ("app-b", "running")
        with Gateway(machine.link_port) as gateway:
            gateway.until(lambda: sum(r.boot == 2 for r in gateway.records) >= 2, "no records of the new application")
            assert gateway.session.journal == journal
            arrived = [(r.seq, r.boot, bytes(r.payload)) for r in gateway.records]
    assert arrived[:next_seq] == before
    assert [seq for seq, _, _ in arrived] == list(range(len(arrived)))
    assert {boot for _, boot, _ in arrived[next_seq:]} == {2}
