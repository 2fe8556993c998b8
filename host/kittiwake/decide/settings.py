"""[decide] of gateway.toml: which records become which decisions. Checked without touching a broker or a file."""

from __future__ import annotations

import fnmatch
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from kittiwake.config.load import Section

SUMMARY_FEATURES = ("n", "mean", "stdev", "low", "high", "range", "rms")
SNAPSHOT_FEATURES = (*SUMMARY_FEATURES, "crest", "kurtosis")
BAND = "band:"  # band:0-125: the share of power between these thousandths of the sampling rate
CONFIRMED, REJECTED, UNCHECKED = "confirmed", "rejected", "unchecked"  # what a second opinion on a keyword says
_THOUSANDTHS = 500  # half of the sampling rate
_GLOB = r"^[A-Za-z0-9._*?-]{1,64}$"


class CommandSection(Section):
    """A command that a decision sends."""

    device: str = Field(
        "", pattern=r"^$|^[A-Za-z0-9._-]{1,64}$", description="Whom it goes to; empty for the record's own device"
    )
    when: Literal["anomaly", "always"] = Field("anomaly", description="After which decisions: anomaly or always")
    fields: dict[str, Any] = Field(
        description="The command as docs/howto/commands.md lists it, op first, without its id",
        examples=[{"op": "event", "code": 7, "text": "bearing"}],
    )

    @field_validator("fields")
    @classmethod
    def _fields(cls, fields: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(fields.get("op"), str):
            raise ValueError("a command needs its op")
        if "id" in fields:
            raise ValueError("a command's id is the decision's own")
        return fields


class HearingSection(Section):
    """How a wake word is heard again: its second of audio, by a larger model on the gateway."""

    cutoff: float = Field(0.5, gt=0, le=1, description="A score of at least this confirms, a lower one rejects")
    output: int = Field(0, ge=0, le=10_000, description="Which of the model's outputs is the word's, from 0")
    window: int = Field(
        1,
        ge=1,
        le=98,
        json_schema_extra={"unit": "outputs"},
        description="Outputs of a streaming model in a mean; the largest mean counts",
    )
    timeout_s: float = Field(
        5.0,
        gt=0,
        le=60,
        description="Seconds after which a keyword goes on unchecked; what comes after it waits for it",
    )


class HearSection(HearingSection):
    """A wake word that is heard again: its second of audio, by a larger model on the gateway."""

    keyword: str = Field(min_length=1, max_length=64, description="Name of the wake word", examples=["okay_nabu"])


class RuleSection(Section):
    """Records that become decisions."""

    name: str = Field(pattern=r"^[a-z0-9_-]{1,32}$", description="Names the rule in messages and figures")
    devices: list[str] = Field(
        ["*"], min_length=1, description="Devices, by patterns with * and ?", examples=[["press-*"]]
    )
    kind: Literal["summary", "snapshot", "keyword"] = Field(
        "summary", description="Kind of record: summary, snapshot, or keyword, which the bridge has heard again"
    )
    channel: str = Field("*", min_length=1, max_length=64, description="Channel, by a pattern with * and ?")
    features: list[str] = Field(
        [],
        max_length=256,
        description="What the model gets, in its order: "
        + ", ".join(SNAPSHOT_FEATURES)
        + " (the last two of snapshots alone); of these band:LOW-HIGH, too, the share of power between thousandths of"
        " the sampling rate",
        examples=[["mean", "stdev", "low", "high"]],
    )
    model: str = Field(
        max_length=1024,
        description="Name of the model in decide.models; of a keyword the path of a .tflite that hears it again",
        examples=["anomaly_detector"],
    )
    hear: HearSection | None = Field(None, description="Of a keyword: which, and from what score on it is confirmed")
    command: CommandSection | None = Field(None, description="A command that the decision sends; none when absent")

    def is_for(self, device: str) -> bool:
        """Whether it is for this device's records.

        Args:
            device: its id.
        """
        return any(fnmatch.fnmatchcase(device, pattern) for pattern in self.devices)

    @field_validator("devices")
    @classmethod
    def _devices(cls, devices: list[str]) -> list[str]:
        import re

        for pattern in devices:
            if not re.match(_GLOB, pattern):
                raise ValueError(f"{pattern!r} is no pattern of device ids")
        return devices

    @model_validator(mode="after")
    def _together(self) -> RuleSection:
        if (self.kind == "keyword") != (self.hear is not None):
            raise ValueError("hear belongs to rules of kind keyword, and to each of them")
        if self.kind == "keyword":
            if self.features or self.channel != "*":
                raise ValueError("a keyword has no features, and its rule is for every channel")
            return self
        if not self.features:
            raise ValueError("features: a rule needs some")
        known = SUMMARY_FEATURES if self.kind == "summary" else SNAPSHOT_FEATURES
        for name in self.features:
            if self.kind == "snapshot" and name.startswith(BAND):
                band(name)
            elif name not in known:
                raise ValueError(f"a {self.kind} has no feature {name!r}; it has {', '.join(known)}")
        return self


class DecideSection(Section):
    """Decisions of the gateway, which `kittiwake decide` makes."""

    models: str = Field(
        "", description="Folder of models, as `kittiwake serve` has it", examples=["/etc/kittiwake/models"]
    )
    listen: str = Field(
        "",
        pattern=r"^$|^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):[0-9]{1,5}$",
        description="HOST:PORT to serve the figures of decisions on; empty for not at all",
        examples=["127.0.0.1:9110"],
    )
    client_id: str = Field(
        "", max_length=60, description="MQTT client id of the process; empty for kittiwake-decide-BASE"
    )
    scan_s: float = Field(1.0, ge=0.02, le=3600, description="Seconds between looks for changed models")
    rules: list[RuleSection] = Field([], max_length=64, description="Write a [[decide.rules]] table for each rule")

    @model_validator(mode="after")
    def _together(self) -> DecideSection:
        names = [rule.name for rule in self.rules]
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise ValueError(f"rules: {min(twice)} is named twice")
        if not self.models and any(rule.kind != "keyword" for rule in self.rules):
            raise ValueError("there are rules and no folder of models")
        return self


def band(name: str) -> tuple[int, int]:
    """Read the feature band:LOW-HIGH.

    Args:
        name: of the feature.

    Returns:
        Both ends, in thousandths of the sampling rate.

    Raises:
        ValueError: it is none.
    """
    low, _, high = name.removeprefix(BAND).partition("-")
    if not (low.isascii() and low.isdigit() and high.isascii() and high.isdigit()):
        raise ValueError(f"{name!r} is no band, such as band:0-125")
    ends = int(low), int(high)
    if not ends[0] < ends[1] <= _THOUSANDTHS:
        raise ValueError(f"{name!r}: a band rises, to {_THOUSANDTHS} thousandths of the sampling rate at most")
    return ends
