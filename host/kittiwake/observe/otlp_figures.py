"""Figures as Prometheus's collectors give them, in OpenTelemetry's form: names and meaning stay the same. Pure.

One definition of a figure serves /metrics and OTLP.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    Histogram,
    HistogramDataPoint,
    Metric,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from prometheus_client import Metric as Family
from prometheus_client.samples import Sample

_SCOPE = InstrumentationScope("kittiwake")
_TEMPORALITY = AggregationTemporality.CUMULATIVE


def metrics_data(families: Iterable[Family], resource: Resource, began_ns: int, now_ns: int) -> MetricsData:
    """Put families into OpenTelemetry's form.

    Args:
        families: counters, gauges and histograms.
        resource: who says it.
        began_ns: since when counters count, UTC in nanoseconds since 1970.
        now_ns: when they were read.

    Returns:
        For a metrics exporter. Counters keep the `_total` that Prometheus has.
    """
    metrics = list(_metrics(families, began_ns, now_ns))
    return MetricsData([ResourceMetrics(resource, [ScopeMetrics(_SCOPE, metrics, "")], "")])


def _metrics(families: Iterable[Family], began_ns: int, now_ns: int) -> Iterator[Metric]:
    for family in families:
        if family.type == "histogram":
            points = list(_histograms(family, began_ns, now_ns))
            yield Metric(family.name, family.documentation, "", Histogram(points, _TEMPORALITY))
        elif family.type == "counter":
            name = f"{family.name}_total"
            numbers = [_number(sample, began_ns, now_ns) for sample in family.samples if sample.name == name]
            yield Metric(name, family.documentation, "", Sum(numbers, _TEMPORALITY, True))
        else:
            numbers = [_number(sample, began_ns, now_ns) for sample in family.samples]
            yield Metric(family.name, family.documentation, "", Gauge(numbers))


def _number(sample: Sample, began_ns: int, now_ns: int) -> NumberDataPoint:
    return NumberDataPoint(dict(sample.labels), began_ns, now_ns, float(sample.value))


def _histograms(family: Family, began_ns: int, now_ns: int) -> Iterator[HistogramDataPoint]:
    """Cumulative buckets, one sample each, become counts between bounds."""
    by_labels: dict[tuple[tuple[str, str], ...], tuple[list[tuple[float, float]], list[float]]] = {}
    for sample in family.samples:
        labels = tuple(sorted((name, text) for name, text in sample.labels.items() if name != "le"))
        buckets, sums = by_labels.setdefault(labels, ([], []))
        if sample.name.endswith("_bucket"):
            buckets.append((float(sample.labels["le"]), sample.value))
        elif sample.name.endswith("_sum"):
            sums.append(sample.value)
    for labels, (buckets, sums) in by_labels.items():
        buckets.sort()
        totals = [round(total) for _, total in buckets]
        counts = [total - before for total, before in zip(totals, [0, *totals], strict=False)]
        bounds = [bound for bound, _ in buckets if not math.isinf(bound)]
        count, total_sum = totals[-1] if totals else 0, sum(sums)
        yield HistogramDataPoint(
            # Neither least nor greatest is known.
            *(dict(labels), began_ns, now_ns, count, total_sum, counts, bounds, math.inf, -math.inf)
        )
