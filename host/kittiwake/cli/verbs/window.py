"""`kittiwake window`: the pages, in a browser."""

from __future__ import annotations

from typing import Annotated

import typer

from kittiwake.cli import broker_options
from kittiwake.cli.output import progress


def window(
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    listen: Annotated[str, typer.Option(help="Where the pages are, HOST:PORT; port 0 for a free one.")] = (
        "127.0.0.1:8800"
    ),
) -> None:
    """Serve pages that show devices, alerts and gateways live, until interrupted."""
    import asyncio

    from kittiwake.errors import UsageError

    gateway = broker_options.Gateway.of(config, broker, base)
    try:
        from kittiwake.window import server
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed", "pip install 'kittiwake[window]'") from error
    settings = server.Settings(gateway.broker, gateway.base, gateway.own_topics, listen)
    asyncio.run(server.serve(settings, lambda url: progress(f"window: {url}")))
