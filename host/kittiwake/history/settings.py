"""history.toml: which broker, which database. Checked without touching a socket or a file."""

from __future__ import annotations

from pydantic import Field

from kittiwake.config.load import Section
from kittiwake.mqtt.settings import BrokerSection


class HistorySection(Section):
    """What is kept, and where."""

    database: str = Field("kittiwake.sqlite", description="File of the history; made when it is not there")
    base: str = Field("kittiwake", description="First levels of the topics, as the bridge has them", max_length=128)
    topics: list[str] = Field(
        [], description="More filters to subscribe to, for kinds that the bridge publishes on topics of its own"
    )
    share: str = Field(
        "",
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="Name of a shared subscription (MQTT 5): processes of one name share the records; empty for none",
    )
    batch_rows: int = Field(
        1000, ge=1, le=100_000, json_schema_extra={"unit": "rows"}, description="Rows of one transaction at most"
    )
    retry_s: float = Field(5.0, ge=0.1, le=3600, description="Seconds after which a failed transaction is tried again")


class Settings(Section):
    """A history process's configuration."""

    broker: BrokerSection = Field(BrokerSection(client_id=""), description="The broker")
    history: HistorySection = Field(HistorySection(), description="The history")
