"""What a process exports over OTLP/HTTP: its figures, its log, and steps of records. It knows none of them itself.

Everything waits in bounded queues and leaves on threads of its own, so a collector that is away costs a process nothing
but what does not fit there. What is sent is what /metrics and the log say.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterable

from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import IdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from prometheus_client import Metric

import kittiwake
from kittiwake.observe.otlp_figures import metrics_data
from kittiwake.observe.settings import OtlpSection
from kittiwake.observe.steps import SAMPLE, Key, Step

_TIMEOUT_S = 5.0
_CLOSE_S = 5.0
_DELAY_MS = 1000.0
# What says that a collector is away must not wait for the collector.
_OWN_LOGGERS = ("opentelemetry", "urllib3", "requests")
_SEVERITIES = {
    logging.DEBUG: SeverityNumber.DEBUG,
    logging.INFO: SeverityNumber.INFO,
    logging.WARNING: SeverityNumber.WARN,
    logging.ERROR: SeverityNumber.ERROR,
    logging.CRITICAL: SeverityNumber.FATAL,
}


class _Ids(IdGenerator):
    """Gives the ids of the step that is told next; steps are told on one thread."""

    def __init__(self) -> None:
        self.trace_id = self.span_id = 1

    def generate_trace_id(self) -> int:
        """Give the trace's."""
        return self.trace_id

    def generate_span_id(self) -> int:
        """Give the span's."""
        return self.span_id


class _Lines(logging.Handler):
    """Gives lines of the log to the exporter."""

    def __init__(self, provider: LoggerProvider):
        super().__init__()
        self._logger = provider.get_logger("kittiwake")

    def emit(self, record: logging.LogRecord) -> None:
        """Give a line."""
        if record.name.partition(".")[0] in _OWN_LOGGERS:
            return
        name = getattr(record, "event", "")
        attributes = {"logger": record.name, **({"event": name} if name else {})}
        if record.exc_info:
            attributes["exception.stacktrace"] = logging.Formatter().formatException(record.exc_info)
        self._logger.emit(
            timestamp=int(record.created * 1e9),
            severity_number=_SEVERITIES.get(record.levelno, SeverityNumber.UNSPECIFIED),
            severity_text=record.levelname,
            body=record.getMessage(),
            attributes=attributes | ({"security": True} if getattr(record, "is_security", False) else {}),
            event_name=name or None,
        )


class Telemetry:
    """Exports one process's figures, log and steps. `steps.Steps` is what it is to those who tell steps.

    Args:
        section: the settings, with an endpoint.
        service: "bridge", "history", "decide".
        instance: which of them, as the configuration names it.

    Attributes:
        lines: a handler for the log.
    """

    def __init__(self, section: OtlpSection, service: str, instance: str):
        self._section = section
        names = {
            "service.name": f"kittiwake-{service}",
            "service.instance.id": instance,
            "service.version": kittiwake.__version__,
        }
        self._resource = Resource.create(names)
        base, ca = section.endpoint.rstrip("/"), section.ca_file or None
        self._metrics = OTLPMetricExporter(f"{base}/v1/metrics", ca, timeout=_TIMEOUT_S)
        log_exporter = OTLPLogExporter(f"{base}/v1/logs", ca, timeout=_TIMEOUT_S)
        self._logs = LoggerProvider(self._resource, shutdown_on_exit=False)
        self._logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter, schedule_delay_millis=_DELAY_MS))
        self.lines = _Lines(self._logs)
        self._ids = _Ids()
        span_exporter = OTLPSpanExporter(f"{base}/v1/traces", ca, timeout=_TIMEOUT_S)
        self._spans = TracerProvider(ALWAYS_ON, self._resource, shutdown_on_exit=False, id_generator=self._ids)
        self._spans.add_span_processor(BatchSpanProcessor(span_exporter, schedule_delay_millis=_DELAY_MS))
        self._tracer = self._spans.get_tracer("kittiwake")
        self._began_ns = time.time_ns()

    def wants(self, key: Key) -> bool:
        """Whether this record is traced.

        Args:
            key: the record's.
        """
        return key.is_of_share(self._section.trace_share)

    def tell(self, step: Step) -> None:
        """Export a step as a span.

        Args:
            step: of a record that is traced.
        """
        key = step.key
        self._ids.trace_id, self._ids.span_id = key.trace_id, key.span_id(step.name)
        context = trace.set_span_in_context(trace.INVALID_SPAN)
        if step.name != SAMPLE:
            flags = trace.TraceFlags(trace.TraceFlags.SAMPLED)
            root = trace.SpanContext(key.trace_id, key.span_id(SAMPLE), True, flags)
            context = trace.set_span_in_context(trace.NonRecordingSpan(root))
        attributes: dict[str, str | int] = {"device": key.device, "journal": key.journal, "seq": key.seq, **step.more}
        span = self._tracer.start_span(step.name, context, attributes=attributes, start_time=step.begin_ns)
        span.end(step.end_ns)

    async def run(self, families: Callable[[], Iterable[Metric]]) -> None:
        """Export figures until cancelled.

        Args:
            families: gives the figures; called on the loop, where they change.
        """
        try:
            while True:
                await asyncio.sleep(self._section.every_s)
                data = metrics_data(families(), self._resource, self._began_ns, time.time_ns())
                await asyncio.to_thread(self._metrics.export, data)
        finally:
            self._metrics.shutdown()  # an attempt that waits for the next one gives up

    def close(self) -> None:
        """Send what waits, for a few seconds at most; a collector that is away does not hold the process back."""

        def end() -> None:
            self._logs.shutdown()
            self._spans.shutdown()

        thread = threading.Thread(target=end, daemon=True)
        thread.start()
        thread.join(_CLOSE_S)
