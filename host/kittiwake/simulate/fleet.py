"""A fleet over processes: each has its share of the devices and a connection of its own."""

from __future__ import annotations

import asyncio
import dataclasses
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from kittiwake.errors import ConfigError
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.simulate import direct, worker
from kittiwake.simulate.outcome import Outcome

_FILES_BESIDE = 100  # that a process has open beside its connections


def run(
    broker: BrokerSection,
    base: str,
    devices: int,
    rate: float,
    bridges: int,
    seconds: float,
    seed: int,
    faults: bool,
    is_direct: bool = False,
) -> Outcome:
    """Let a fleet work, and wait until the broker has every record.

    Args:
        broker: the broker.
        base: first levels of the topics.
        devices: how many.
        rate: records a second of all of them.
        bridges: processes among which they are divided, each one connection to the broker where devices have none.
        seconds: for which records are made.
        seed: of everything that happens.
        faults: devices go off line, reboot, do not know the time, flood.
        is_direct: devices speak MQTT themselves, over a connection each.

    Returns:
        What became of it, over all processes.

    Raises:
        ConfigError: more processes than devices, or more connections than the system lets a process have.
    """
    if bridges > devices:
        raise ConfigError(f"{bridges} processes for {devices} devices", "give fewer bridges")
    if is_direct:
        direct.address_of(broker)
        _make_room(-(-devices // bridges))
    edges = [devices * number // bridges for number in range(bridges + 1)]
    shares = [
        worker.Share(broker, base, seed, first, after - first, devices / rate, seconds, faults, is_direct)
        for first, after in zip(edges, edges[1:], strict=False)
    ]
    with ProcessPoolExecutor(bridges, get_context("spawn")) as pool:
        outcomes = list(pool.map(_work, shares))
    total = Outcome()
    for field in dataclasses.fields(Outcome):
        values = [getattr(outcome, field.name) for outcome in outcomes]
        setattr(total, field.name, max(values) if field.name == "seconds" else sum(values))
    return total


def _make_room(connections: int) -> None:
    """Let processes that are started from now on have that many connections."""
    files = connections + _FILES_BESIDE
    try:
        import resource
    except ImportError:  # Windows, which has no such limit
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and files > hard:
        raise ConfigError(
            f"{connections} connections a process, and the system allows {hard - _FILES_BESIDE}",
            "give more --bridges, or raise the limit of open files (ulimit -Hn)",
        )
    if soft != resource.RLIM_INFINITY and files > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))


def _work(share: worker.Share) -> Outcome:
    return asyncio.run(worker.run(share))
