"""What every verb prints: data on stdout, progress on stderr, and the option that asks for JSON."""

import json
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for machines.")]


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document on one line of stdout, at once, so that a reader of a pipe gets it when it is made.

    Args:
        value: what JSON can carry; no NaN or infinity.
    """
    print(json.dumps(value, ensure_ascii=False, allow_nan=False), flush=True)


def iso(at_ms: int | None) -> str:
    """Write a time for people and machines, to the second: "2026-01-02T03:04:05Z"; "" for none.

    Args:
        at_ms: UTC in milliseconds since 1970.
    """
    return "" if at_ms is None else datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def progress(text: str) -> None:
    """Print one line of progress on stderr.

    Args:
        text: without a line end.
    """
    print(text, file=sys.stderr, flush=True)
