"""A process's figures in Prometheus's text form, and /metrics and /healthz made of them. It knows no figure itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from kittiwake.observe.web import Page

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Figures:
    """A collector's figures, and what any process says of itself: CPU, memory, open files.

    Args:
        collector: reads counters that others keep, at every call.
    """

    def __init__(self, collector: Collector):
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(collector)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Write all figures, as they are now."""
        return generate_latest(self._registry)

    def families(self) -> Iterable[Metric]:
        """Read all figures, as they are now."""
        return self._registry.collect()

    def pages(self, report: Callable[[], Mapping[str, object]]) -> dict[str, Page]:
        """Make the pages: path -> what makes it.

        Args:
            report: gives what /healthz says, JSON-ready; its status is 200 while `well` is true, else 503.
        """

        def metrics() -> tuple[int, str, bytes]:
            return 200, CONTENT_TYPE, self.text()

        def healthz() -> tuple[int, str, bytes]:
            told = report()
            return (200 if told["well"] else 503), "application/json", json.dumps(told).encode() + b"\n"

        return {"/metrics": metrics, "/healthz": healthz}
