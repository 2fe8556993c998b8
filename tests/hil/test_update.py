"""A release over the link of an emulated board that samples at 1 kHz by its timer: taken, tried, proved.

The core does 250 million instructions a second of its own clock, so that the longest turn of the loop is the same on
every machine: KITTIWAKE_SOAK=1 has all three instruction sets.
"""

import json
import struct

import pytest

from kittiwake.bridge import releases
from kittiwake.target import open_target
from kittiwake_node.link import messages as m
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.support import release_keys
from tests.support.deployments import install
from tests.support.hil import SOAK, Gateway
from tests.support.releases import release

NAMES = ["qemu:mps2-an385", "qemu:virt", "qemu:xtensa"] if SOAK else ["qemu:virt"]
# Four nanoseconds an instruction.
_CLOCK = ["-icount", "shift=2"]
_WANTS, _HERE = 2, 3
CONFIG = {
    "device": "kw-update",
    "health_s": 1,
    "link": {"kind": "kwboard"},
    "storage": {"kind": "kwflash"},
    "channels": [
        {
            "rate_hz": 1000,
            "summary_samples": 1000,
            "source": {"kind": "timer", "room": 1024, "sensor": {"kind": "wave", "path": "wave.i16"}},
            "detectors": [{"kind": "zscore", "n": 64, "t": "9/2"}],
        }
    ],
}


def progress(gateway, op=m.OP_UPDATE_PROGRESS, body=b""):
    status, reply = gateway.ask(op, body)
    assert status == m.OK, reply
    return struct.unpack_from("<BHIIIB", reply), reply[16:].decode()


def healths(gateway):
    return [(r.boot, payload.unpack_health(r.payload)) for r in gateway.records if r.type == rec.HEALTH]


def events(gateway):
    return [payload.unpack_event(r.payload)["text"] for r in gateway.records if r.type == rec.EVENT]


@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", NAMES)
def test_release_is_taken_by_an_emulated_board_that_samples(name):
    with open_target(name, deploy=False, arguments=_CLOCK) as machine:
        arch, board = machine.facts()["arch"], machine.name.replace("qemu:", "qemu-")
        install(machine, 1, CONFIG)
        machine.deploy(
            {
                "wave.i16": bytes(512),
                "provision/release-0": release_keys.modulus_of(release_keys.private_key()),
                "provision.json": json.dumps({"release": {"keys_file": "provision/release-0"}}).encode(),
            }
        )
        raw = release(2, boards=[board], config={k: v for k, v in CONFIG.items() if k in ("channels", "health_s")})
        stored = releases.parse("it", raw)
        machine.set_strap(run_main=True)
        machine.start_node()
        with Gateway(machine.link_port, machine) as gateway:
            gateway.open()
            gateway.until(lambda: len(healths(gateway)) >= 2, "the node's health")
            usual = healths(gateway)[-1][1]
            sent = 0
            head = stored.raw_head + stored.signatures[0]
            (state, entry, offset, _, running, build), text = progress(gateway, m.OP_UPDATE_OFFER, head)
            assert running == 0
            while state in (1, _WANTS):
                if state == _WANTS:
                    piece = stored.piece(build, entry, offset, 512)
                    sent += len(piece)
                    body = struct.pack("<HI", entry, offset) + piece
                    (state, entry, offset, *_), text = progress(gateway, m.OP_UPDATE_PIECE, body)
                else:
                    gateway.turn()
                    (state, entry, offset, *_), text = progress(gateway)
            assert state == _HERE, text
            during = healths(gateway)[-1][1]
            gateway.until(lambda: any("proved itself" in text for text in events(gateway)), "a proof", 240)
            (_, _, _, _, running, _), _ = progress(gateway)
            assert running == 2
            boots = {boot for boot, _ in healths(gateway)}
        every = [health for _, health in healths(gateway)]
        print(
            f"{name} ({arch}): {sent} bytes in pieces of {len(raw)}, loop {usual['loop_max_us']} us before, "
            f"{during['loop_max_us']} us during, overruns {sum(h['overruns'] for h in every)}, boots {sorted(boots)}"
        )
        assert sent < 30_000
        assert all(health["overruns"] == 0 for health in every), "a sample was lost"
