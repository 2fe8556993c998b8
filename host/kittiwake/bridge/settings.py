"""The gateway's settings: every field with its unit, bounds and meaning; one model for file, environment and schema.

It checks what can be known without touching a port, a broker or a file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from kittiwake.config.load import Section
from kittiwake.decide.settings import DecideSection, HearingSection, RuleSection
from kittiwake.errors import UsageError
from kittiwake.mqtt.address import parse_url
from kittiwake.mqtt.settings import BrokerSection, Protocol
from kittiwake.observe.settings import HttpSection, OtlpSection, SyslogSection
from kittiwake.publish.bodies import OPAQUE
from kittiwake.publish.publisher import GUIDE_TOPICS, KINDS, Policy
from kittiwake.window.settings import WindowSection

_ID = r"^[A-Za-z0-9._-]{1,64}$"
_KIND_NAMES = frozenset(KINDS.values()) | {OPAQUE}
_RESPONSE_KINDS = frozenset({"response"})

Qos = Annotated[int, Field(ge=0, le=2)]


class BridgeSection(Section):
    """The process itself."""

    id: str = Field("bridge", pattern=_ID, description="Names this bridge: letters, digits, '.', '_', '-'")
    base: str = Field(
        "kittiwake", description="First levels of every topic, without wildcards", examples=["plant1/line2"]
    )
    log: Literal["text", "json"] = Field("text", description="Form of the log on stderr: text or json")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="What is logged: debug, info, warning or error"
    )
    records_in_memory: int = Field(
        16384,
        ge=64,
        le=1_000_000,
        json_schema_extra={"unit": "records"},
        description="Records of all devices together that may wait here for the broker; about 1 KiB each",
    )
    clock: Literal["auto", "trusted"] = Field(
        "auto",
        description="When devices are told the time: auto (this machine's clock is later than this release and, where "
        "systemd-timesyncd runs, set by it) or trusted (it is later)",
    )
    unwell_after_s: int = Field(
        120,
        ge=5,
        le=86400,
        description="Seconds after which the bridge is not well when records wait and the broker confirms none",
    )
    command_timeout_s: int = Field(30, ge=1, le=3600, description="Seconds a command waits for its device")

    @field_validator("base")
    @classmethod
    def _topic(cls, text: str) -> str:
        return _checked_topic(text)


class PublishSection(Section):
    """Topics and QoS, by kind of record."""

    topics: dict[str, str] = Field(
        default_factory=dict,
        description="kind -> a topic of its own in place of BASE/DEVICE/KIND/CHANNEL",
        examples=[GUIDE_TOPICS],
    )
    qos: dict[str, Qos] = Field(
        default_factory=dict,
        description="kind -> 0, 1 or 2; 1 where nothing is said, and 2 for response",
        examples=[{"summary": 0}],
    )

    @field_validator("topics")
    @classmethod
    def _topics(cls, topics: dict[str, str]) -> dict[str, str]:
        _check_kinds(topics, _KIND_NAMES)
        for topic in topics.values():
            _checked_topic(topic)
        return topics

    @field_validator("qos")
    @classmethod
    def _qos(cls, qos: dict[str, int]) -> dict[str, int]:
        _check_kinds(qos, _KIND_NAMES | _RESPONSE_KINDS)
        return qos


class HomeAssistantSection(Section):
    """Discovery for Home Assistant."""

    enabled: bool = Field(False, description="Publish discovery messages: true or false")
    prefix: str = Field("homeassistant", description="Home Assistant's discovery prefix")

    @field_validator("prefix")
    @classmethod
    def _topic(cls, text: str) -> str:
        return _checked_topic(text)


class SpoolSection(Section):
    """Acknowledge on the gateway's disk, for a gateway that is off line for weeks with small devices."""

    enabled: bool = Field(False, description="Acknowledge to devices when this disk has a record, not the broker")
    path: str = Field("", description="The spool's file", examples=["/var/lib/kittiwake/spool.db"])
    limit_mib: int = Field(512, ge=1, le=1_000_000, description="Most MiB of records kept")
    on_full: Literal["reject", "drop_oldest"] = Field(
        "reject", description="A full spool: reject (devices keep their records) or drop_oldest (counted)"
    )
    commit_ms: int = Field(20, ge=1, le=10_000, description="Milliseconds that records are gathered for one commit")

    @model_validator(mode="after")
    def _together(self) -> SpoolSection:
        if self.enabled and not self.path:
            raise ValueError("the spool is enabled and has no path")
        return self


class ReleasesSection(Section):
    """Signed releases for the devices."""

    folder: str = Field(
        "",
        description="Folder with releases (.kwu) that devices may be given; empty for none",
        examples=["/var/lib/kittiwake/releases"],
    )
    url: str = Field(
        "",
        description="Where releases are fetched from, once, that are named with their sha256 and not in the folder; "
        "https alone, ending in /; empty for nowhere",
        examples=["https://files.example/releases/"],
        pattern=r"^(https://[^/\s]\S*/)?$",
    )

    @model_validator(mode="after")
    def _together(self) -> ReleasesSection:
        if self.url and not self.folder:
            raise ValueError("what is fetched needs a folder")
        return self


class ConfirmSection(HearingSection):
    """Short for [[decide.rules]] of kind keyword, one for each word, for every device and without a command."""

    models: dict[str, str] = Field(
        default_factory=dict,
        description="Name of a wake word -> path of a .tflite that hears it again; none for no second opinion",
        examples=[{"okay_nabu": "/etc/kittiwake/okay_nabu.tflite"}],
    )

    def rules(self) -> list[RuleSection]:
        """The rules that it stands for."""
        how = self.model_dump(exclude={"models"})
        return [
            RuleSection.model_validate(
                {"name": f"confirm-{number}", "kind": "keyword", "model": path, "hear": {"keyword": word, **how}}
            )
            for number, (word, path) in enumerate(self.models.items())
        ]


class DeviceSection(Section):
    """One device, or every device that is plugged in."""

    port: str = Field(
        description="A path, id:SERIAL, auto (every USB serial port), socket://HOST:PORT or rfc2217://HOST:PORT",
        examples=["id:0123ABCD"],
    )
    baudrate: int = Field(
        115200, ge=300, le=12_000_000, json_schema_extra={"unit": "baud"}, description="Baud rate of the line"
    )
    window: int = Field(
        256,
        ge=1,
        le=65535,
        json_schema_extra={"unit": "records"},
        description="Records in flight from this device; records_in_memory bounds the sum",
    )
    device: str = Field(
        "", pattern=r"^$|" + _ID, description="Take no other device on this port than the one of this id; empty for any"
    )

    @field_validator("port")
    @classmethod
    def _port(cls, text: str) -> str:
        if "://" in text and not text.startswith(("socket://", "rfc2217://")):
            raise ValueError(f"{text!r} is not a port")
        if not text or text == "id:":
            raise ValueError("the port is empty")
        return text


class Settings(Section):
    """A gateway's whole configuration."""

    bridge: BridgeSection = Field(default_factory=BridgeSection, description="The process itself")
    broker: BrokerSection = Field(default_factory=BrokerSection, description="The broker")
    publish: PublishSection = Field(default_factory=PublishSection, description="Topics and QoS")
    homeassistant: HomeAssistantSection = Field(default_factory=HomeAssistantSection, description="Home Assistant")
    http: HttpSection = Field(default_factory=HttpSection, description="/metrics and /healthz")
    otlp: OtlpSection = Field(default_factory=OtlpSection, description="Figures, log and traces to a collector")
    syslog: SyslogSection = Field(default_factory=SyslogSection, description="Security events to a receiver")
    spool: SpoolSection = Field(default_factory=SpoolSection, description="Acknowledge on this disk")
    releases: ReleasesSection = Field(default_factory=ReleasesSection, description="Signed releases for the devices")
    confirm: ConfirmSection = Field(default_factory=ConfirmSection, description="Wake words, heard again")
    decide: DecideSection = Field(default_factory=DecideSection, description="Decisions by models; kittiwake decide")
    window: WindowSection = Field(default_factory=WindowSection, description="The pages in a browser")
    devices: list[DeviceSection] = Field(
        min_length=1, description="Write a [[devices]] table for each device", examples=[[{"port": "auto"}]]
    )

    @model_validator(mode="after")
    def _together(self) -> Settings:
        ports = Counter(device.port for device in self.devices)
        twice = {port for port, count in ports.items() if count > 1}
        if twice:
            raise ValueError(f"devices: {min(twice)} is named twice")
        return self

    def opinions(self) -> list[RuleSection]:
        """Rules by which the bridge has wake words heard again: the first that is for a word counts."""
        return [rule for rule in self.decide.rules if rule.hear is not None] + self.confirm.rules()

    def policy(self) -> Policy:
        """How records become messages under these settings."""
        return Policy(self.bridge.base, dict(self.publish.topics), dict(self.publish.qos))


def of_ports(
    ports: list[str], broker_url: str, policy: Policy, bridge_id: str = "bridge", protocol: Protocol = "3.1.1"
) -> Settings:
    """Settings for a few ports without a file, all else as it is by default.

    Args:
        ports: see kittiwake.ports, each once.
        broker_url: mqtt://host:port.
        policy: topics and QoS.
        bridge_id: names the bridge.
        protocol: MQTT version.

    Returns:
        The settings.

    Raises:
        UsageError: the broker's address is none, or a port is named twice.
    """
    parse_url(broker_url)
    twice = {port for port in ports if ports.count(port) > 1}
    if twice:
        raise UsageError(f"port {min(twice)} is named twice", "name each port once")
    return Settings(
        bridge=BridgeSection(id=bridge_id, base=policy.base),
        broker=BrokerSection(url=broker_url, protocol=protocol),
        publish=PublishSection(topics=dict(policy.topics), qos=dict(policy.qos)),
        devices=[DeviceSection(port=port) for port in ports],
    )


def _check_kinds(by_kind: Mapping[str, object], known: frozenset[str]) -> None:
    for kind in by_kind:
        if kind not in known:
            raise ValueError(f"{kind!r} is not a kind; there are: {', '.join(sorted(known))}")


def _checked_topic(text: str) -> str:
    if not text or text[0] in "$/" or text[-1] == "/" or "//" in text or any(c in text for c in "+#\0"):
        raise ValueError(f"{text!r} is not a topic: no wildcards, no empty levels, no '$' in front")
    return text
