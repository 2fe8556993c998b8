"""The roll-out's figures in Prometheus's text form. Reads what the runner keeps; keeps none itself."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.registry import Collector

from kittiwake.observe.exposition import Figures
from kittiwake.observe.web import Page
from kittiwake.rollout.members import Phase, State
from kittiwake.rollout.runner import Runner


class Exposition(Collector):
    """Writes a roll-out's figures.

    Args:
        runner: of it.
    """

    def __init__(self, runner: Runner):
        self._runner = runner

    def collect(self) -> Iterator[CounterMetricFamily | GaugeMetricFamily]:
        """Give the metric families; prometheus_client calls this."""
        rollout, mqtt = self._runner.rollout, self._runner.mqtt
        made = GaugeMetricFamily("kittiwake_rollout_info", "1; says which.", labels=["rollout", "release", "version"])
        made.add_metric([str(self._runner.id), rollout.plan.release, rollout.plan.version], 1.0)
        yield made
        made = GaugeMetricFamily("kittiwake_rollout_state", "1 for the state that it has.", labels=["state"])
        for state in State:
            made.add_metric([state.value], float(state is rollout.state))
        yield made
        made = GaugeMetricFamily("kittiwake_rollout_devices", "Devices by where they are.", labels=["phase"])
        counts = rollout.counts()
        for phase in Phase:
            made.add_metric([phase.value], counts.get(phase, 0))
        yield made
        words = "1 while the broker takes messages."
        yield GaugeMetricFamily("kittiwake_rollout_broker_connected", words, float(mqtt.is_connected))
        yield CounterMetricFamily(
            "kittiwake_rollout_broker_reconnects", "Connections after the first.", mqtt.reconnects
        )
        yield CounterMetricFamily("kittiwake_rollout_decisions", "Decisions written down.", self._runner.written)

    def pages(self) -> dict[str, Page]:
        """The pages: path -> what makes it."""
        return Figures(self).pages(self._report)

    def _report(self) -> dict[str, object]:
        rollout, mqtt = self._runner.rollout, self._runner.mqtt
        return {"well": mqtt.is_connected, "problem": mqtt.problem, "state": rollout.state.value}
