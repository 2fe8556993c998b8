"""history.toml: which broker, which database. Checked without touching a socket or a file."""

from __future__ import annotations

from pydantic import Field

from kittiwake.config.load import Section
from kittiwake.history.retention import Policy
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.observe.settings import OtlpSection, SyslogSection


class HistorySection(Section):
    """What is kept, and where."""

    database: str = Field(
        "kittiwake.sqlite",
        description="File of the history, made when it is not there, or a PostgreSQL server's address; its password is"
        " kept in ~/.pgpass, in a file that PGPASSFILE names, or in PGPASSWORD",
        examples=["postgresql://kittiwake@db.example/history"],
    )
    base: str = Field("kittiwake", description="First levels of the topics, as the bridge has them", max_length=128)
    topics: list[str] = Field(
        [], description="More filters to subscribe to, for kinds that the bridge publishes on topics of its own"
    )
    share: str = Field(
        "",
        max_length=64,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="Name of a shared subscription (MQTT 5): processes of one name share the records; empty for none."
        " Mosquitto forgets shared subscriptions when it restarts, and is refused",
    )
    batch_rows: int = Field(
        1000, ge=1, le=100_000, json_schema_extra={"unit": "rows"}, description="Rows of one transaction at most"
    )
    retry_s: float = Field(5.0, ge=0.1, le=3600, description="Seconds after which a failed transaction is tried again")


class RetentionSection(Section):
    """What is taken out, and when; roll-ups stay, and what goes is counted in the database."""

    raw_days: int = Field(0, ge=0, le=36500, description="Days for which snapshots stay; 0 for ever")
    telemetry_days: int = Field(
        0, ge=0, le=36500, description="Days for which readings, summaries and health records stay; 0 for ever"
    )
    alert_days: int = Field(0, ge=0, le=36500, description="Days for which alerts and all others stay; 0 for ever")
    limit_mib: int = Field(
        0, ge=0, description="MiB of the database above which the oldest go, snapshots first, alerts last; 0 for none"
    )
    disk_free_percent: int = Field(
        0, ge=0, le=99, description="Percent of a file's disk that are to stay free, in the same way; 0 for no matter"
    )
    every_s: float = Field(3600.0, ge=1, le=86400, description="Seconds between two looks")

    def policy(self) -> Policy:
        """Give it as the stores take it."""
        days = self.raw_days, self.telemetry_days, self.alert_days
        return Policy(days, self.limit_mib * 1024 * 1024, self.disk_free_percent / 100)


class HttpSection(Section):
    """/metrics for Prometheus."""

    listen: str = Field(
        "",
        pattern=r"^$|^[^:\[\]]+:[0-9]{1,5}$",
        description="HOST:PORT to serve /metrics on; empty for not at all",
        examples=["127.0.0.1:9109"],
    )


class Settings(Section):
    """A history process's configuration."""

    broker: BrokerSection = Field(BrokerSection(client_id=""), description="The broker")
    history: HistorySection = Field(HistorySection(), description="The history")
    retention: RetentionSection = Field(RetentionSection(), description="What goes, and when")
    http: HttpSection = Field(HttpSection(), description="Figures for Prometheus")
    otlp: OtlpSection = Field(OtlpSection(), description="Figures, log and traces to a collector")
    syslog: SyslogSection = Field(SyslogSection(), description="Security events to a receiver")
