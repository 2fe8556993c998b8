"""Events of the log: named once, used by the code, told in the documents, and marked where they are of security."""

import ast
import io
import json
import logging
import re
from pathlib import Path

import pytest

from kittiwake.observe import events
from kittiwake.observe.logs import JsonFormatter, LineLimit
from kittiwake.peers.complaints import Complaints

ROOT = Path(__file__).resolve().parents[2]
EVERY = {**events.SECURITY, **events.OPERATION}


def lines(write):
    """What a logger's JSON says."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonFormatter())
    handler.addFilter(LineLimit())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    write(logger)
    return [json.loads(line) for line in text.getvalue().splitlines()]


def test_line_of_an_event_has_its_name_and_its_mark():
    def write(log):
        log.warning("reloaded: %s", "x", extra=events.event("configuration.changed"))
        log.warning("broker connection lost", extra=events.event("broker.lost"))
        log.warning("something else")
        Complaints(log).tell("taken over", extra=events.event("client.taken_over"))

    security, operation, other, complaint = lines(write)
    assert (security["event"], security["security"], security["message"]) == (
        "configuration.changed",
        True,
        "reloaded: x",
    )
    assert operation["event"] == "broker.lost" and "security" not in operation
    assert not {"event", "security"} & other.keys()
    assert (complaint["event"], complaint["security"]) == ("client.taken_over", True)


def test_event_that_nobody_named_is_a_bug():
    with pytest.raises(KeyError):
        events.event("broker.gone")


def used():
    """Names that the code gives to `event`, where they stand as texts."""
    names = set()
    for path in (ROOT / "host" / "kittiwake").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and path.name != "events.py":
                names |= {node.value} & EVERY.keys()
    return names


def test_every_event_is_logged_somewhere_and_told_in_the_documents():
    assert used() == EVERY.keys() and not events.SECURITY.keys() & events.OPERATION.keys()
    page = (ROOT / "docs" / "howto" / "observability.md").read_text()
    rows = re.findall(r"^\| `([a-z_.]+)` \| (yes)? ?\| (.+) \|$", page, re.M)
    assert {name: (mark == "yes", words) for name, mark, words in rows} == {
        name: (name in events.SECURITY, words) for name, words in EVERY.items()
    }
