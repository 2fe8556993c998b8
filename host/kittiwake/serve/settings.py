"""serve.toml: which models, on which address, within which bounds. Checked without touching a socket or a file."""

from __future__ import annotations

import ipaddress
from typing import Literal

from pydantic import Field, model_validator

from kittiwake.config.load import Section
from kittiwake.errors import ConfigError
from kittiwake.observe import address
from kittiwake.observe.settings import OtlpSection, SyslogSection


class ServeSection(Section):
    """The service."""

    models: str = Field(
        "models", description="Folder of models: NAME.onnx or NAME.tflite, and NAME.toml, the model's card"
    )
    default: str = Field(
        "", max_length=64, description="Name of the model behind /predict and /health; empty where there is only one"
    )
    listen: str = Field(
        "127.0.0.1:8080",
        pattern=r"^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):[0-9]{1,5}$",
        description="HOST:PORT to serve on; off loopback with token_file or client_ca_file",
    )
    token_file: str = Field("", description="File whose first line is the bearer token that requests must carry")
    certificate_file: str = Field("", description="The service's certificate, PEM; with it the service speaks TLS")
    key_file: str = Field("", description="Its key, PEM")
    client_ca_file: str = Field("", description="Authorities whose clients alone may connect, PEM (mutual TLS)")
    threads: int = Field(
        2, ge=1, le=64, json_schema_extra={"unit": "threads"}, description="Inferences that run at a time"
    )
    threads_of_a_model: int = Field(
        1, ge=1, le=64, json_schema_extra={"unit": "threads"}, description="Threads of one inference"
    )
    inline_ms: float = Field(
        0.5,
        ge=0,
        le=10,
        description="Milliseconds; an inference that took less when its model was loaded needs no thread of its own",
    )
    queue: int = Field(
        64,
        ge=1,
        le=10_000,
        json_schema_extra={"unit": "requests"},
        description="Requests that may wait for a thread; one more is answered with 503",
    )
    timeout_s: float = Field(
        10.0, ge=0.01, le=600, description="Seconds for a request's body to arrive, and for its inference"
    )
    connections: int = Field(
        512, ge=1, le=65535, json_schema_extra={"unit": "connections"}, description="Connections at a time"
    )
    body_kib: int = Field(1024, ge=1, le=1_048_576, description="Most KiB of a request's body")
    rows: int = Field(
        4096, ge=1, le=1_000_000, json_schema_extra={"unit": "rows"}, description="Most rows of one request"
    )
    scan_s: float = Field(1.0, ge=0.02, le=3600, description="Seconds between looks for changed files")
    log: Literal["text", "json"] = Field("text", description="Form of the log on stderr: text or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged: debug, info, warning or error"
    )

    @model_validator(mode="after")
    def _together(self) -> ServeSection:
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file goes with key_file")
        if self.client_ca_file and not self.certificate_file:
            raise ValueError("client_ca_file needs certificate_file and key_file")
        return self

    @property
    def address(self) -> tuple[str, int]:
        """Host and port to listen on."""
        return address.split(self.listen)


class Settings(Section):
    """An inference service's configuration."""

    serve: ServeSection = Field(default_factory=ServeSection, description="The service")
    otlp: OtlpSection = Field(default_factory=OtlpSection, description="Figures and log to an OpenTelemetry collector")
    syslog: SyslogSection = Field(default_factory=SyslogSection, description="Security events to a receiver of syslog")


def check_exposure(section: ServeSection) -> None:
    """Make sure that a service that others can reach asks who they are.

    Args:
        section: the settings.

    Raises:
        ConfigError: it listens off loopback, with neither a token nor mutual TLS; or on a port that is none.
    """
    host, port = section.address
    if port > 65535:
        raise ConfigError(f"serve.listen: {section.listen}: there is no port {port}", "name a port up to 65535")
    if not section.token_file and not section.client_ca_file and not _is_loopback(host):
        raise ConfigError(
            f"serve.listen: {section.listen} can be reached from other machines, and anyone there could use it",
            "set serve.token_file, or client_ca_file with certificate_file and key_file, or listen on 127.0.0.1",
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
