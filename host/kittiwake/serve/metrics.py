"""The service's figures in Prometheus's text form: requests, inferences, models, and how far their inputs drifted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, Metric, disable_created_metrics, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from kittiwake.serve.runner import Runner
from kittiwake.serve.store import ModelStore

CONTENT_TYPE = b"text/plain; version=0.0.4; charset=utf-8"
# The guide's tiers end at 10, 50 and 200 ms; a small model takes less than one.
_BUCKETS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.5, 10.0)


class Metrics(Collector):
    """The figures.

    Args:
        store: whose models are told.
        runner: whose queue is told.
    """

    def __init__(self, store: ModelStore, runner: Runner):
        self._store, self._runner = store, runner
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library brings no type for it
        self._registry = CollectorRegistry(auto_describe=False)
        self._requests = Counter(
            "kittiwake_serve_requests", "Requests answered.", ["route", "code"], registry=self._registry
        )
        self._seconds = Histogram(
            "kittiwake_serve_request_seconds",
            "Time from a request's body to its reply.",
            ["route"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._inferences = Histogram(
            "kittiwake_serve_inference_seconds",
            "Time that a model took, waiting included.",
            ["model"],
            buckets=_BUCKETS_S,
            registry=self._registry,
        )
        self._rows = Counter("kittiwake_serve_rows", "Rows that a model took.", ["model"], registry=self._registry)
        self._failures = Counter(
            "kittiwake_serve_inference_failures", "Inferences with no answer.", ["model"], registry=self._registry
        )
        self._anomalies = Counter(
            "kittiwake_serve_anomalies", "Rows that a model judged anomalies.", ["model"], registry=self._registry
        )
        # Looking a child up by its labels takes longer than counting: routes, statuses and models are few.
        self._of_routes: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._of_models: dict[str, tuple[Histogram, Counter]] = {}
        self._of_judges: dict[str, Counter] = {}
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def text(self) -> bytes:
        """Write all figures, as they are now."""
        return generate_latest(self._registry)

    def families(self) -> Iterable[Metric]:
        """Read all figures, as they are now."""
        return self._registry.collect()

    def answered(self, route: str, code: int, seconds: float) -> None:
        """A request was answered.

        Args:
            route: as the table of routes has it.
            code: HTTP's status.
            seconds: it took.
        """
        made = self._of_routes.get((route, code))
        if made is None:
            made = self._of_routes[route, code] = self._requests.labels(route, str(code)), self._seconds.labels(route)
        made[0].inc()
        made[1].observe(seconds)

    def inferred(self, model: str, seconds: float, rows: int) -> None:
        """An inference was answered.

        Args:
            model: its name.
            seconds: it took.
            rows: it had.
        """
        made = self._of_models.get(model)
        if made is None:
            made = self._of_models[model] = self._inferences.labels(model), self._rows.labels(model)
        made[0].observe(seconds)
        made[1].inc(rows)

    def failed(self, model: str) -> None:
        """An inference has no answer.

        Args:
            model: its name.
        """
        self._failures.labels(model).inc()

    def judged(self, model: str, anomalies: int) -> None:
        """Rows were judged.

        Args:
            model: its name.
            anomalies: of them.
        """
        made = self._of_judges.get(model)
        if made is None:
            made = self._of_judges[model] = self._anomalies.labels(model)
        made.inc(anomalies)

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Give the families that are read at every call; prometheus_client calls this."""
        waiting = GaugeMetricFamily("kittiwake_serve_waiting_requests", "Requests that wait for a thread or have one.")
        waiting.add_metric([], self._runner.waiting)
        yield waiting
        info = GaugeMetricFamily(
            "kittiwake_serve_model_info", "1; says what answers.", labels=["model", "file", "version"]
        )
        for name, model in self._store.models.items():
            info.add_metric([name, model.file, model.version], 1.0)
        yield info
        loads = CounterMetricFamily("kittiwake_serve_model_loads", "Files taken up.", labels=["model", "result"])
        stale = GaugeMetricFamily(
            "kittiwake_serve_model_stale", "1 while the newest file could not be loaded.", labels=["model"]
        )
        for name, of in self._store.loads.items():
            loads.add_metric([name, "loaded"], of.done)
            loads.add_metric([name, "refused"], of.failed)
            stale.add_metric([name], float(bool(of.problem)))
        yield from (loads, stale)
        beyond = CounterMetricFamily(
            "kittiwake_serve_input_beyond_training", "Values beyond the card's range.", labels=["model", "input"]
        )
        shift = GaugeMetricFamily(
            "kittiwake_serve_input_shift_ratio",
            "Distance of the newest values' mean from the card's, in its standard deviations.",
            labels=["model", "input"],
        )
        for name, model in self._store.models.items():
            for figures in model.drift.figures():
                beyond.add_metric([name, figures.name], figures.beyond)
                if figures.shift is not None:
                    shift.add_metric([name, figures.name], figures.shift)
        yield from (beyond, shift)
