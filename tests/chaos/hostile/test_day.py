"""A gateway's day in a short time: fifty devices, five of them hostile, that start anew and are unplugged.

The broker stands still now and then. What grows with the day is bounded: memory, the log, what the broker keeps.
"""

import asyncio
import random

import pytest

from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import record as rec
from tests.chaos.hostile import moves
from tests.chaos.hostile.arena import ATTACKERS, LOG_LIMIT_BYTES_H, Arena
from tests.support.hil import SOAK

pytestmark = [pytest.mark.needs("mosquitto"), pytest.mark.timeout(5400 if SOAK else 300)]

GOOD = 45
DAY_S = 3600 if SOAK else 50  # in which so much of a day goes by:
SHARE = 1.0 if SOAK else 0.1
RECORDS = round(SHARE * 3120)  # of a device: a summary and a health record a minute, ten alerts an hour
RESTARTS = max(1, round(SHARE * 4))  # of a device
PAUSES = max(2, round(SHARE * 12))  # of the broker
MOVES_HZ = 100 if SOAK else 200
GROWTH_LIMIT_MB = 24
LOG_BURST_BYTES = 64 * 1024
GOOD_LOG_LIMIT_BYTES = 4096 + RESTARTS * 2048
DISCOVERY_LIMIT_BYTES = 64 * 1024  # of the 32 channels that are made known, all with long names


class Day(Arena):
    """One day. Attributes: resident_mbs: memory of the bridge, as the day goes on."""

    def __init__(self, folder, seed):
        names = [moves.VICTIM, *(f"good-{number}" for number in range(1, GOOD))]
        super().__init__(folder, seed, round(DAY_S * MOVES_HZ), MOVES_HZ, victims=names)
        self.rng = random.Random(seed)
        self.resident_mbs = []

    def meanwhile(self):
        live = [self._live(victim, random.Random(f"{self.outcome.seed}/{victim.name}")) for victim in self.victims]
        return [*live, self._pause_the_broker(), self._weigh()]

    async def _live(self, device, rng):
        restarts = set(rng.sample(range(RECORDS), RESTARTS))
        for number in range(RECORDS):
            await asyncio.sleep(rng.uniform(0, 1.9) * DAY_S / RECORDS)
            if number in restarts:
                device.stop()
                await asyncio.sleep(rng.uniform(0, DAY_S / 100))
                device.start()
            device.add(*self._record(number, rng))

    def _record(self, number, rng):
        x = rng.randrange(-1000, 1000)
        if number % 13 == 0:
            return rec.ANOMALY, anomaly.pack_anomaly(1, 0, 20, x, x, x, 20 * x, 20 * x * x, number, 5, 2), 0, rec.ALERT
        if number % 2:
            return rec.HEALTH, payload.pack_health({"heap_free": 100_000 + x, "samples": number})
        return rec.SUMMARY, payload.pack_summary(60, x, x, 0, 60 * x, 60 * x * x, number, 0)

    async def _pause_the_broker(self):
        while True:
            await asyncio.sleep(self.rng.uniform(0.5, 1.5) * DAY_S / PAUSES)
            self.broker.freeze()
            try:
                await asyncio.sleep(min(5.0, DAY_S / 50))
            finally:
                self.broker.thaw()  # the day may end in between

    async def _weigh(self):
        while True:
            await asyncio.sleep(DAY_S / 50)
            self.resident_mbs.append(self.resident_mb())

    def log_bytes_of(self, url):
        """What stands in the log about a port."""
        return sum(len(line.encode()) + 1 for line in self.log.splitlines() if f" {url}: " in line)


def test_day_of_fifty_devices_of_which_five_are_hostile_leaves_memory_log_and_broker_small(tmp_path, figures):
    day = Day(tmp_path, random.SystemRandom().randrange(1 << 31))
    outcome = day.run()
    third = len(day.resident_mbs) // 3
    settled, growth = max(day.resident_mbs[:third]), max(day.resident_mbs[third:]) - max(day.resident_mbs[:third])
    hostile = max(day.log_bytes_of(url) for url in day.attackers)
    good = max(day.log_bytes_of(victim.port.url) for victim in day.victims)
    discovery = {topic: len(payload) for topic, payload in day.kept.items() if topic.startswith("homeassistant/device")}
    of_good = max(size for topic, size in discovery.items() if "evil" not in topic)
    figures(
        f"a day's {SHARE:.0%} in {outcome.seconds:.0f} s (seed {outcome.seed}): {GOOD} devices, {outcome.records:,} "
        f"records in order; {ATTACKERS} hostile, {outcome.messages:,} messages; bridge {settled:.0f} MB after a third, "
        f"{growth:+.0f} MB then; log {outcome.log_bytes:,} bytes, of a hostile device {hostile:,}, of a good one "
        f"{good:,} at most; {outcome.retained} retained topics; discovery {of_good:,} bytes of a good device, "
        f"{max(discovery.values()):,} at most"
    )
    assert outcome.findings == [], outcome.findings
    assert outcome.records > GOOD * RECORDS / 2 and outcome.taken > outcome.messages / 20
    assert growth < GROWTH_LIMIT_MB
    assert hostile < LOG_BURST_BYTES + LOG_LIMIT_BYTES_H * outcome.seconds / 3600
    assert good < GOOD_LOG_LIMIT_BYTES
    assert outcome.retained <= 2 * GOOD + 8 * ATTACKERS + 2
    assert of_good < DISCOVERY_LIMIT_BYTES / 16
    assert max(discovery.values()) < DISCOVERY_LIMIT_BYTES
