"""An update while board, bridge and broker are killed at random instants: in the end the new application runs.

KITTIWAKE_SOAK=1 makes ten updates, CI one.
"""

import os
import random
import time

import pytest

from tests.chaos.test_update import NODE, Plant
from tests.support.releases import DEVICE, release

ROUNDS = 10 if os.environ.get("KITTIWAKE_SOAK") else 1
KILLS = 8
pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(170 * ROUNDS)]


def test_update_over_kills_of_everything_ends_with_the_new_application(tmp_path):
    rng = random.Random(23)
    with Plant(tmp_path) as plant:
        settings = {"channels": plant.config["channels"], "health_s": 1, "commit_ms": 100}
        killed = []
        for counter in range(2, 2 + ROUNDS):
            damage = {NODE: b"\nMARK = %d\n" % counter}
            plant.offer(release(counter, arch=plant.arch, config=settings, damage=damage), f"{counter}.kwu")
            for _ in range(KILLS):
                time.sleep(rng.random() * 0.8)
                victim = rng.choice(("board", "bridge", "broker"))
                killed.append(victim)
                if victim == "board":
                    plant.board.cut_power()
                    plant.board.start_node()
                else:
                    process = getattr(plant, victim)
                    process.kill()
                    process.start()
            assert plant.until_state(f"{counter}.kwu", "running", 120)["counter"] == counter
        assert {"board", "bridge", "broker"} == set(killed)
        plant.until_event(f"release 1.{counter} ({counter}) proved itself", 60)
        keys = {
            (body["journal"], body["seq"])
            for line in plant.ledger.read()
            if line["topic"].startswith(f"kittiwake/{DEVICE}/") and '"seq"' in line["payload"]
            for body in [plant.parsed(line)]
        }
        assert len({journal for journal, _ in keys}) == 1
        numbers = sorted(seq for _, seq in keys)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), "a record is missing"
        print(f"{len(killed)} kills, {len(numbers)} records, {plant.board.starts} restarts of the board's own")
