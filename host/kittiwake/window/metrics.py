"""The window's figures in Prometheus's text form. Reads counters that others keep; keeps none itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import get_args

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from kittiwake.observe.exposition import Figures
from kittiwake.observe.web import Page
from kittiwake.window.access import Access
from kittiwake.window.desk import Desk
from kittiwake.window.feed import Feed, utc_ms
from kittiwake.window.presence import State, judge_gateway
from kittiwake.window.stream import Stream


class Exposition(Collector):
    """Writes a window's figures.

    Args:
        feed: what is heard.
        stream: open pages.
        desk: commands.
        access: log-ins.
    """

    def __init__(self, feed: Feed, stream: Stream, desk: Desk, access: Access):
        self._feed, self._stream, self._desk, self._access = feed, stream, desk, access

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Give the metric families; prometheus_client calls this."""
        fleet, mqtt = self._feed.fleet, self._feed.mqtt
        counters = (
            ("records", "Records that have come.", fleet.records),
            ("unreadable_messages", "Messages that were no record, no status and no answer.", fleet.unreadable),
            ("broker_reconnects", "Connections after the first.", mqtt.reconnects),
            ("slow_pages", "Pages that were left, since they did not read.", self._stream.slow_pages),
            ("commands", "Commands sent to devices.", self._desk.sent),
            ("commands_unanswered", "Commands that had no answer in time.", self._desk.unanswered),
            ("refused_logins", "Log-ins with a wrong name or password, or too many of them.", self._access.refused),
        )
        for name, words, count in counters:
            yield CounterMetricFamily(f"kittiwake_window_{name}", words, count)
        gauges = (
            ("broker_connected", "1 while the broker sends records.", mqtt.is_connected),
            ("pages", "Pages that are open.", self._stream.page_count),
            ("kept_messages", "Messages of devices that are kept for pages that open.", fleet.kept_messages),
        )
        for name, words, value in gauges:
            yield GaugeMetricFamily(f"kittiwake_window_{name}", words, float(value))
        now_ms = utc_ms()
        yield _by_state(
            "devices", "Devices by what the page Now says.", (fleet.verdict(n, now_ms).state for n in fleet.devices)
        )
        of_gateways = (judge_gateway(g, fleet.connection, now_ms).state for g in fleet.gateways.values())
        yield _by_state("gateways", "Gateways by what the page Now says.", of_gateways)

    def pages(self) -> dict[str, Page]:
        """The pages: path -> what makes it."""
        return Figures(self).pages(self._report)

    def _report(self) -> dict[str, object]:
        mqtt = self._feed.mqtt
        return {"well": mqtt.is_connected, "problem": mqtt.problem, "pages": self._stream.page_count}


def _by_state(name: str, words: str, states: Iterable[State]) -> GaugeMetricFamily:
    counts = Counter(states)
    made = GaugeMetricFamily(f"kittiwake_window_{name}", words, labels=["state"])
    for state in get_args(State):
        made.add_metric([state], counts[state])
    return made
