"""A fleet over processes: each has its share of the devices and a connection of its own."""

from __future__ import annotations

import asyncio
import dataclasses
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from kittiwake.errors import ConfigError
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.simulate import worker


def run(
    broker: BrokerSection, base: str, devices: int, rate: float, bridges: int, seconds: float, seed: int, faults: bool
) -> worker.Outcome:
    """Let a fleet work, and wait until the broker has every record.

    Args:
        broker: the broker.
        base: first levels of the topics.
        devices: how many.
        rate: records a second of all of them.
        bridges: processes among which they are divided, each one connection to the broker.
        seconds: for which records are made.
        seed: of everything that happens.
        faults: devices go off line, reboot, do not know the time, flood.

    Returns:
        What became of it, over all processes.

    Raises:
        ConfigError: more processes than devices.
    """
    if bridges > devices:
        raise ConfigError(f"{bridges} processes for {devices} devices", "give fewer bridges")
    edges = [devices * number // bridges for number in range(bridges + 1)]
    shares = [
        worker.Share(broker, base, seed, first, after - first, devices / rate, seconds, faults)
        for first, after in zip(edges, edges[1:], strict=False)
    ]
    with ProcessPoolExecutor(bridges, get_context("spawn")) as pool:
        outcomes = list(pool.map(_work, shares))
    total = worker.Outcome()
    for field in dataclasses.fields(worker.Outcome):
        values = [getattr(outcome, field.name) for outcome in outcomes]
        setattr(total, field.name, max(values) if field.name == "seconds" else sum(values))
    return total


def _work(share: worker.Share) -> worker.Outcome:
    return asyncio.run(worker.run(share))
