"""`kittiwake watch`: what arrives at the broker, live."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

import typer


def watch(
    topic: Annotated[list[str] | None, typer.Argument(help="Filters; everything below the base when none.")] = None,
    broker: Annotated[str, typer.Option(help="The broker, mqtt://HOST:PORT.")] = "mqtt://localhost:1883",
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="A gateway's configuration: its broker and base.")
    ] = None,
    base: Annotated[str, typer.Option(help="First levels of the topics.")] = "kittiwake",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a message, for machines.")] = False,
) -> None:
    """Show what arrives at the broker, live, until interrupted."""
    import asyncio

    from kittiwake.bridge.settings import Settings
    from kittiwake.clients import watch as watching
    from kittiwake.mqtt.address import parse_url
    from kittiwake.mqtt.settings import BrokerSection

    if config is not None:
        from kittiwake.config import load

        settings = load.load(config, Settings, os.environ)
        section, base = settings.broker, settings.bridge.base
    else:
        parse_url(broker)
        section = BrokerSection(url=broker)
    topics = tuple(topic) if topic else (f"{base}/#",)
    client_id = f"kittiwake-watch-{secrets.token_hex(4)}"
    asyncio.run(watching.follow(section, topics, client_id, lambda line: print(line, flush=True), as_json))
