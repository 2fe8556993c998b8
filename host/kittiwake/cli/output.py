"""What every verb prints: data on stdout, progress on stderr, and the option that asks for JSON."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import typer

Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout, for machines.")]


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print one JSON document on one line of stdout, at once, so that a reader of a pipe gets it when it is made.

    Args:
        value: what JSON can carry; no NaN or infinity.
    """
    print(json.dumps(value, ensure_ascii=False, allow_nan=False), flush=True)


def progress(text: str) -> None:
    """Print one line of progress on stderr.

    Args:
        text: without a line end.
    """
    print(text, file=sys.stderr, flush=True)
