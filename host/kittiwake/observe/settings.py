"""What configurations say of a process's figures and log; one section each, for every process that has them."""

from __future__ import annotations

from pydantic import Field

from kittiwake.config.load import Section


class HttpSection(Section):
    """/metrics for Prometheus and /healthz."""

    listen: str = Field(
        "",
        pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):[0-9]{1,5}$",
        description="HOST:PORT to serve /metrics and /healthz on; empty for not at all",
        examples=["127.0.0.1:9108"],
    )


class OtlpSection(Section):
    """Figures, log and traces to an OpenTelemetry collector, over OTLP/HTTP."""

    endpoint: str = Field(
        "",
        pattern=r"^(https?://[^/@\s]+(/\S*)?)?$",
        description="Where the collector is; /v1/metrics, /v1/logs and /v1/traces are added. Empty for no export. A"
        " token comes from the environment: OTEL_EXPORTER_OTLP_HEADERS",
        examples=["http://127.0.0.1:4318"],
    )
    ca_file: str = Field("", description="CA certificates (PEM) to trust; empty for the system's")
    every_s: float = Field(15.0, ge=0.1, le=3600, description="Seconds between two exports of figures")
    trace_share: float = Field(
        0.01,
        ge=0,
        le=1,
        json_schema_extra={"unit": "of all records"},
        description="Share of the records that are traced from sample to row, the same everywhere",
    )
