"""A client's settings: which broker, and who it is there. Checked without touching a socket or a file."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, SecretStr, field_validator, model_validator

from kittiwake.config.load import Section
from kittiwake.errors import UsageError
from kittiwake.mqtt.address import parse_url

Protocol = Literal["auto", "5", "3.1.1"]


class BrokerSection(Section):
    """The broker, and who we are to it. Secrets come from files or from the environment, never from this file."""

    url: str = Field(
        "mqtt://localhost:1883",
        description="mqtt://HOST:PORT, mqtts:// for TLS, ws:// or wss://HOST:PORT/PATH for websockets",
        examples=["mqtts://broker.example:8883"],
    )
    protocol: Protocol = Field(
        "auto", description="MQTT version: 5, 3.1.1, or auto (5 where the broker speaks it, so that refusals show)"
    )
    client_id: str = Field("", max_length=64, description="Client id at the broker; empty for BASE-ID")
    username: str = Field("", description="User name at the broker; empty for none")
    password: SecretStr = Field(
        SecretStr(""), description="Only from the environment, KITTIWAKE_BROKER__PASSWORD; in files, use password_file"
    )
    password_file: str = Field("", description="File that holds the password, readable to the service alone")
    ca_file: str = Field("", description="CA certificates (PEM) to trust; empty for the system's")
    crl_file: str = Field(
        "", description="Revocation lists (PEM) of these CAs: no certificate of the broker's on them is taken"
    )
    certificate_file: str = Field("", description="Our certificate (PEM), for mutual TLS")
    key_file: str = Field("", description="Our private key (PEM), for mutual TLS")
    key_password_file: str = Field("", description="File that holds the key's password; empty when it has none")
    keepalive_s: int = Field(15, ge=2, le=3600, description="Seconds after which broker and bridge miss each other")
    connect_timeout_s: int = Field(10, ge=1, le=300, description="Seconds a connection attempt may take")
    in_flight: int = Field(
        1000,
        ge=1,
        le=65535,
        json_schema_extra={"unit": "messages"},
        description="Messages on the way that the broker has not confirmed; its own limit counts too",
    )
    backoff_first_s: float = Field(0.5, ge=0.1, le=60, description="Seconds before the second attempt to connect")
    backoff_last_s: float = Field(
        30.0, ge=0.1, le=3600, description="Seconds between attempts at most; half of it is drawn at random"
    )
    session_expiry_s: int = Field(
        604800, ge=0, le=0xFFFFFFFE, description="Seconds for which the broker keeps commands for us while we are away"
    )

    @field_validator("url")
    @classmethod
    def _url(cls, text: str) -> str:
        try:
            parse_url(text)
        except UsageError as error:
            raise ValueError(str(error)) from error
        return text

    @model_validator(mode="after")
    def _together(self) -> BrokerSection:
        if bool(self.certificate_file) != bool(self.key_file):
            raise ValueError("certificate_file and key_file go together: mutual TLS needs both")
        if (self.ca_file or self.crl_file or self.certificate_file) and not parse_url(self.url).is_tls:
            raise ValueError(f"certificates are given, but {self.url} is not encrypted: use mqtts:// or wss://")
        if self.backoff_last_s < self.backoff_first_s:
            raise ValueError("backoff_last_s is below backoff_first_s: the wait grows from the first to the last")
        if (self.password_file or self.password.get_secret_value()) and not self.username:
            raise ValueError("a password without a username")
        return self
