"""The deciding process: its figures, its signals, and the end of it."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

from kittiwake.decide.service import SECONDS, DecideService
from kittiwake.decide.settings import DecideSection
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.observe import web
from kittiwake.observe.exposition import Figures

if TYPE_CHECKING:
    from kittiwake.observe.otlp import Telemetry

_COUNTERS = {
    "messages": "Messages received.",
    "decisions": "Decisions made.",
    "anomalies": "Decisions that say anomaly.",
    "commands": "Commands sent.",
    "failed": "Records of which no decision could be made.",
    "refused": "Messages that the broker refused.",
    "other": "Messages that no rule is for.",
}


class Exposition(Collector):
    """Writes a service's figures.

    Args:
        service: whose counters are read at every call.
    """

    def __init__(self, service: DecideService):
        self._service = service

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily | HistogramMetricFamily]:
        """Give the metric families; prometheus_client calls this."""
        service = self._service
        for name, words in _COUNTERS.items():
            yield CounterMetricFamily(f"kittiwake_decide_{name}", words, service.counts[name])
        connected = service.reader.is_connected and service.publisher.is_connected
        yield GaugeMetricFamily("kittiwake_decide_broker_connected", "1 while the broker is there.", float(connected))
        bounds = [*(str(most) for most in SECONDS), "+Inf"]
        buckets = list(zip(bounds, map(float, accumulate(service.seconds)), strict=True))
        yield HistogramMetricFamily(
            "kittiwake_decide_seconds", "Time from a record to its decision.", buckets, sum_value=service.seconds_sum
        )

    def report(self) -> dict[str, object]:
        """What /healthz says, JSON-ready."""
        reader, publisher = self._service.reader, self._service.publisher
        well = reader.is_connected and publisher.is_connected
        return {"well": well, "problem": reader.problem or publisher.problem, **self._service.counts}


def run(
    broker: BrokerSection,
    base: str,
    topics: Mapping[str, str],
    section: DecideSection,
    telemetry: Telemetry | None = None,
) -> None:
    """Decide until SIGINT or SIGTERM.

    Args:
        broker: the settings.
        base: first levels of the topics.
        topics: kind -> topic, where the bridge has one of its own.
        section: the rules.
        telemetry: exports its figures; None for nobody.

    Raises:
        KittiwakeError: the settings cannot be.
    """
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(broker, base, topics, section, telemetry))


async def _serve(
    broker: BrokerSection,
    base: str,
    topics: Mapping[str, str],
    section: DecideSection,
    telemetry: Telemetry | None,
) -> None:
    service = DecideService(broker, base, topics, section)
    exposition = Exposition(service)
    figures = Figures(exposition)
    tasks = [asyncio.create_task(service.run(), name="decide")]
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, tasks[0].cancel)
    if section.listen:
        tasks.append(asyncio.create_task(web.serve(section.listen, figures.pages(exposition.report)), name="http"))
    if telemetry:
        tasks.append(asyncio.create_task(telemetry.run(figures.families), name="otlp"))
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await tasks[0]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
