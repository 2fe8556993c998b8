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
    from kittiwake.observe import exporting, logs

    try:
        from kittiwake.decide import process
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed", "pip install 'kittiwake[serve]'") from error

    settings = load.load(config, Settings, os.environ)
    telemetry = exporting.telemetry(settings.otlp, "decide", settings.bridge.id)
    logs.set_up(settings.bridge.log, settings.bridge.log_level, [telemetry.lines] if telemetry else [])
    try:
        process.run(settings.broker, settings.bridge.base, settings.publish.topics, settings.decide, telemetry)
    finally:
        if telemetry:
            telemetry.close()
