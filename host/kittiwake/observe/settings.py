"""What configurations say of /metrics and /healthz; one section for every process that has them."""

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
