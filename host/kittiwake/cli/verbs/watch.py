"""`kittiwake watch`: what arrives at the broker, live."""

from __future__ import annotations

import functools
import secrets
import sys
from typing import Annotated

import typer

from kittiwake.cli import broker_options


def watch(
    topic: Annotated[
        list[str] | None,
        typer.Argument(help="Filters; without any, all below the base, and a configuration's own topics."),
    ] = None,
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a message, for machines.")] = False,
) -> None:
    """Show what arrives at the broker, live, until interrupted; and what its ACL seems to hide."""
    import asyncio

    from kittiwake.clients import watch as watching

    gateway = broker_options.Gateway.of(config, broker, base)
    topics = tuple(topic) if topic else (f"{gateway.base}/#", *gateway.own_topics)
    client_id = f"kittiwake-watch-{secrets.token_hex(4)}"
    say = functools.partial(print, flush=True)
    notice = functools.partial(print, "watch:", file=sys.stderr, flush=True)
    asyncio.run(watching.follow(gateway.broker, topics, client_id, say, as_json, notice, gateway.base))
