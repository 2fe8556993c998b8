"""`kittiwake bridge`: devices' records to an MQTT broker, acknowledged only when the broker has them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Annotated

import typer


def bridge(
    port: Annotated[list[str], typer.Option("--port", "-p", help="A device's port; repeat it for several.")],
    broker: Annotated[str, typer.Option(help="The broker, mqtt://HOST:PORT.")] = "mqtt://localhost:1883",
    base: Annotated[str, typer.Option(help="First level of every topic.")] = "kittiwake",
    guide: Annotated[bool, typer.Option("--guide", help="The guide's topics for readings and alerts.")] = False,
    bridge_id: Annotated[str, typer.Option("--id", help="Names this bridge at the broker.")] = "bridge",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens on the links.")] = False,
) -> None:
    """Bring devices' records to a broker, until interrupted."""
    from kittiwake.bridge import publisher
    from kittiwake.bridge.mqtt import parse_url
    from kittiwake.bridge.service import Bridge

    parse_url(broker)
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING, format="%(asctime)s %(levelname)s %(message)s"
    )
    policy = publisher.Policy(base=base, topics=publisher.GUIDE_TOPICS if guide else {})

    async def serve() -> None:
        await Bridge(port, broker, policy, bridge_id).run()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())
