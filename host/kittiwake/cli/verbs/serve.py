"""`kittiwake serve`: models over HTTP."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import progress


def serve(
    models: Annotated[
        Path | None,
        typer.Argument(envvar="MODEL_PATH", help="A folder of models, or the one file that /predict means."),
    ] = None,
    config: Annotated[
        Path | None, typer.Option("--config", "-c", help="serve.toml; the options stand above it.")
    ] = None,
    listen: Annotated[str | None, typer.Option(help="HOST:PORT; 127.0.0.1:8080 when nothing is said.")] = None,
    default: Annotated[str | None, typer.Option(help="Name of the model that /predict means.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="File of the token that requests must carry.")] = None,
) -> None:
    """Answer inference requests over HTTP, until interrupted: the guide's /predict, /v1, and KServe's /v2."""
    from kittiwake.config import load
    from kittiwake.errors import UsageError
    from kittiwake.observe import logs
    from kittiwake.serve.settings import Settings, check_exposure

    try:
        from kittiwake.serve import process
    except ImportError as error:
        raise UsageError(f"{error.name} is not installed", "pip install 'kittiwake[serve]'") from error

    values: dict[str, str] = {}
    if models is not None and models.is_file():
        values |= {"models": str(models.parent), "default": models.stem}
    elif models is not None:
        values["models"] = str(models)
    named = {"listen": listen, "default": default, "token_file": str(token_file) if token_file else None}
    values |= {name: value for name, value in named.items() if value is not None}
    # JSON's texts are TOML's.
    text = "[serve]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())
    settings = load.parse(text, Settings, os.environ if config is None else {}, "the options")
    if config is not None:
        options = {name: getattr(settings.serve, name) for name in values}
        settings = load.load(config, Settings, os.environ)
        settings = settings.model_copy(update={"serve": settings.serve.model_copy(update=options)})
    section = settings.serve
    check_exposure(section)
    logs.set_up(section.log, section.log_level)
    raise typer.Exit(process.run(settings, lambda url: progress(f"models of {section.models} on {url}")))
