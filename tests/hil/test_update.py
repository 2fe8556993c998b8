"""A release over the link of an emulated board that samples at 1 kHz by its timer: taken, tried, proved.

The core does 250 million instructions a second of its own clock, so that the longest turn of the loop is the same on
every machine: KITTIWAKE_SOAK=1 has all three instruction sets.
"""

import json

import pytest

from kittiwake.supply import shelf
from kittiwake.target import open_target
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec
from tests.support import release_keys
from tests.support.deployments import application, install
from tests.support.hil import SOAK, Gateway
from tests.support.offered_release import HERE, Offered
from tests.support.releases import release

NAMES = ["qemu:mps2-an385", "qemu:virt", "qemu:xtensa"] if SOAK else ["qemu:virt"]
# Four nanoseconds an instruction.
_CLOCK = ["-icount", "shift=2"]
WAIT_S = 120
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
        held, wanted = (application(number, machine.facts(), CONFIG) for number in (1, 2))
        changed = sum(len(content) for path, content in wanted.items() if held.get(path) != content)
        raw = release(2, boards=[board], config={k: v for k, v in CONFIG.items() if k in ("channels", "health_s")})
        stored = shelf.parse("it", raw)
        machine.set_strap(run_main=True)
        machine.start_node()
        with Gateway(machine.link_port, machine) as gateway:
            gateway.open()
            gateway.until(lambda: len(healths(gateway)) >= 2, "the node's health")
            usual = healths(gateway)[-1][1]
            offered = Offered(gateway, stored)
            assert offered.until(lambda: offered.state == HERE, WAIT_S), offered.text
            during = healths(gateway)[-1][1]
            assert offered.until(lambda: offered.has_proved_itself, 240), offered.text
            gateway.until(lambda: any("proved itself" in text for text in events(gateway)), "the event", 60)
            boots = {boot for boot, _ in healths(gateway)}
        every = [health for _, health in healths(gateway)]
        late = sum(health["overruns"] for health in every)
        print(
            f"{name} ({arch}): {offered.sent_bytes} bytes in pieces of {len(raw)}, "
            f"loop {usual['loop_max_us']} us before, {during['loop_max_us']} us during, "
            f"overruns {late}, boots {sorted(boots)}"
        )
        # The table, the modules that changed and the settings; what is as it was stays where it lies.
        (build,) = stored.head.builds
        settings = len(wanted["node.json"])
        assert changed > 10_000
        assert offered.sent_bytes <= changed + build.table_bytes + settings
        assert late == 0, "a sample was lost"
