"""Hostile devices and hostile messages beside a victim, and the same over a bridge that was damaged on purpose.

A seed is replayed with KITTIWAKE_SEED, from a batch on with KITTIWAKE_BATCH.
"""

import os
import random

import pytest

from tests.chaos.hostile.arena import ATTACKERS, Arena
from tests.support.hil import SOAK

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(7200 if SOAK else 300)]

MESSAGES = int(os.environ.get("KITTIWAKE_MESSAGES", 1_000_000 if SOAK else 20_000))
SEED = int(os.environ.get("KITTIWAKE_SEED", random.SystemRandom().randrange(1 << 31)))
BATCH = int(os.environ.get("KITTIWAKE_BATCH", "0"))
P99_LIMIT_MS = 50
RATE = 500 if SOAK else 0  # messages a second: a latency in a flood would be the sockets' buffers'


def test_hostile_peers_cost_the_victim_nothing(tmp_path, figures):
    print(f"seed {SEED}; again with KITTIWAKE_SEED={SEED}")
    arena = Arena(tmp_path, SEED, MESSAGES, RATE, BATCH)
    outcome = arena.run()
    figures(outcome.line())
    assert outcome.findings == [], f"seed {SEED}: {outcome.findings}"
    assert outcome.messages >= MESSAGES
    # They got past the door: otherwise nothing was tried.
    assert outcome.taken > MESSAGES / 10, outcome
    assert outcome.counts["sessions"] >= ATTACKERS
    assert outcome.retained <= 8 * (ATTACKERS + 3)
    if SOAK:
        assert outcome.p99_ms < P99_LIMIT_MS


DAMAGES = {
    "names are not put right": "import kittiwake.peers.text as t; t.level = lambda text: (text, '')",
    "depth and surrogates are not looked at": (
        "import kittiwake.peers.json_text as t; t._check = lambda value, keeps_texts: None"
    ),
    "records that cannot be read are an error": (
        "import kittiwake.publish.publisher as p; p.ArithmeticError = p.FrameError = KeyError"
    ),
    "whoever claims a name has it": (
        "import kittiwake.bridge.names as n; n.Names.admit = lambda self, link, device: ''"
    ),
    "a device may name itself anything": (
        "import kittiwake_node.link.messages as m; m.is_device_id = lambda raw: len(raw) > 0"
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_bridge_without_one_of_its_guards_is_noticed(tmp_path, damage):
    outcome = Arena(tmp_path, 5, 6_000, damage=DAMAGES[damage]).run()
    print(outcome.findings)
    assert outcome.findings
