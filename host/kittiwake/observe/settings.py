"""What configurations say of a process's figures and log; a section each, for every process that has them."""

from __future__ import annotations

from pydantic import Field, model_validator

from kittiwake.config.load import Section
from kittiwake.observe import address


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


class SyslogSection(Section):
    """Security events to a receiver of syslog, over TLS alone."""

    server: str = Field(
        "",
        pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):[0-9]{1,5}$",
        description="HOST:PORT of the receiver (RFC 5424 over TLS, RFC 5425); empty for not at all",
        examples=["log.example:6514"],
    )
    ca_file: str = Field("", description="CA certificates (PEM) to trust; empty for the system's")
    certificate_file: str = Field("", description="Our certificate (PEM), where the receiver wants one")
    key_file: str = Field("", description="Our private key (PEM)")
    folder: str = Field(
        "",
        description="Folder where events wait until the receiver has them, a file for each process",
        examples=["/var/lib/kittiwake"],
    )
    limit: int = Field(
        10_000,
        ge=100,
        le=1_000_000,
        json_schema_extra={"unit": "events"},
        description="Events kept at most; then the oldest make room, and the receiver is told how many",
    )

    @model_validator(mode="after")
    def _together(self) -> SyslogSection:
        if self.server and not self.folder:
            raise ValueError("events need a folder to wait in")
        if self.server and self.address[1] > 65535:
            raise ValueError("server: a port is at most 65535")
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file go together")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the receiver."""
        return address.split(self.server)
