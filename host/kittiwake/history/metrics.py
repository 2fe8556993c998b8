"""A history process's figures in Prometheus's text form. Reads counters that others keep; keeps none itself."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from kittiwake.errors import ConfigError
from kittiwake.observe import address

if TYPE_CHECKING:
    from kittiwake.history.service import HistoryService


class Exposition(Collector):
    """Writes a service's figures.

    Args:
        service: whose counters are read at every call.
    """

    def __init__(self, service: HistoryService):
        self._service = service

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Give the metric families; prometheus_client calls this."""
        service, counts = self._service, self._service.counts
        counters = (
            ("messages", "Messages that have come.", counts.messages),
            ("other_messages", "Messages that are no records.", counts.others),
            ("rows", "Records that were not there and were put in.", counts.new),
            ("copies", "Copies of records that were there.", counts.known),
            ("altered_copies", "Copies that say something else; the first is kept.", counts.altered),
            ("repaired_rows", "Records that got their time from a later one.", counts.repaired),
            ("failed_transactions", "Transactions that had to be tried again.", counts.failures),
            ("dropped_rows", "Records that retention has taken out.", counts.dropped),
            ("dropped_bytes", "Bytes of their messages.", counts.dropped_bytes),
            ("broker_reconnects", "Connections after the first.", service.mqtt.reconnects),
        )
        for name, words, value in counters:
            yield CounterMetricFamily(f"kittiwake_history_{name}", words, value)
        gauges = (
            ("database_working", "1 while the database takes rows.", not service.problem),
            ("retention_working", "1 while retention can do its work.", not service.retention_problem),
            ("broker_connected", "1 while the broker sends records.", service.mqtt.is_connected),
            ("waiting_rows", "Rows that have come and are not in the database.", service.waiting),
        )
        for name, words, state in gauges:
            yield GaugeMetricFamily(f"kittiwake_history_{name}", words, float(state))
        if service.lag_s is not None:
            words = "From the newest record's time to its commit, of the newest transaction."
            yield GaugeMetricFamily("kittiwake_history_lag_seconds", words, service.lag_s)


def serve(service: HistoryService, listen: str) -> tuple[WSGIServer, Thread]:
    """Serve /metrics on a thread of its own.

    Args:
        service: whose.
        listen: HOST:PORT.

    Returns:
        The server, to be shut down, and its thread.

    Raises:
        ConfigError: the address cannot be listened on.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(Exposition(service))
    host, port = address.split(listen)
    try:
        return start_http_server(port, host, registry)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"[http] listen: {listen}: {reason}", "choose another port") from error
