"""`kittiwake decide`: decisions of the gateway, from records at the broker."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer


def decide(
    config: Annotated[Path, typer.Option("--config", "-c", help="gateway.toml, with its table decide.")],
) -> None:
    """Make decisions of records by models, as gateway.toml says, until interrupted; send the commands that follow."""
    from kittiwake.bridge.settings import Settings
    from kittiwake.config import load
    from kittiwake.errors import UsageError
    from kittiwake.observe import exporting

    try:
        from kittiwake.decide import process
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed", "pip install 'kittiwake[serve]'") from error

    settings = load.load(config, Settings, os.environ)
    own = settings.bridge
    with exporting.begun(settings.otlp, settings.syslog, "decide", own.id, own.log, own.log_level) as exports:
        process.run(settings.broker, own.base, settings.publish.topics, settings.decide, exports.telemetry)
