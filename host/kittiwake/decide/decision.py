"""A decision as a message, and the command that follows it: functions of the record and the model alone. Pure."""

from __future__ import annotations

import fnmatch
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass

from kittiwake.decide.settings import RuleSection
from kittiwake.history.row import Row
from kittiwake.serve.model import Verdict

KIND = "decision"


@dataclass(frozen=True)
class Made:
    """What a decision publishes.

    Args:
        topic, payload: the decision.
        command_topic, command: what follows it; "" and b"" for nothing.
    """

    topic: str
    payload: bytes
    command_topic: str = ""
    command: bytes = b""


def applies(rule: RuleSection, row: Row) -> bool:
    """Whether a record is one of a rule's.

    Args:
        rule: the rule.
        row: the record.
    """
    return (
        row.kind == rule.kind
        and (rule.hear is None or row.body.get("keyword") == rule.hear.keyword)
        and rule.is_for(row.device)
        and fnmatch.fnmatchcase(row.channel, rule.channel)
    )


def make(base: str, rule: RuleSection, row: Row, model: str, version: str, verdict: Verdict) -> Made:
    """Put a verdict into words: the same for the same record, rule, model and verdict, whenever it is made.

    Args:
        base: first levels of the topics.
        rule: whose.
        row: what it was made from; of a snapshot its first part.
        model: its name.
        version: the digest of its file and card.
        verdict: the model's.

    Returns:
        The messages.
    """
    key = f"{row.device}/{row.journal}/{row.seq}/{rule.name}/{model}/{version}"
    body: dict[str, object] = {
        "kind": KIND,
        "device": row.device,
        "channel": row.channel,
        "ts": row.body.get("ts"),
        "rule": rule.name,
        "model": model,
        "version": version,
        "anomaly": verdict.is_anomaly,
        "confidence": round(verdict.confidence, 4),
        "key": key,
        "of_kind": row.kind,
        "of_journal": row.journal,
        "of_seq": row.seq,
    }
    if verdict.label is not None:
        body["label"] = verdict.label
    topic = f"{base}/{row.device}/{KIND}/{row.channel}"
    command = rule.command
    if command is None or (command.when == "anomaly" and not verdict.is_anomaly):
        return Made(topic, _json(body))
    # A device answers an id that it has carried out from what it kept: a repeat does nothing.
    ident = hashlib.sha256(key.encode()).hexdigest()[:16]
    target = command.device or row.device
    return Made(topic, _json(body), f"{base}/{target}/cmd", _json({"id": ident, **command.fields}))


def _json(body: Mapping[str, object]) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode()
