"""`kittiwake bridge`: devices' records to an MQTT broker, acknowledged only when the broker has them."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli.output import Json, print_json, progress
from kittiwake.errors import KittiwakeError, UsageError

if TYPE_CHECKING:
    from kittiwake.bridge.settings import Settings

_RELOAD_S = 60.0

Config = Annotated[Path, typer.Option("--config", "-c", help="The gateway's configuration, TOML.")]

app = typer.Typer(
    name="bridge", help="Bring devices' records to a broker, until interrupted.", invoke_without_command=True
)


@app.callback()
def bridge(
    context: typer.Context,
    config: Annotated[Path | None, typer.Option("--config", "-c", help="Configuration, TOML; see `init`.")] = None,
    port: Annotated[list[str] | None, typer.Option("--port", "-p", help="A device's port; may be repeated.")] = None,
    broker: Annotated[str, typer.Option(help="The broker, mqtt://HOST:PORT.")] = "mqtt://localhost:1883",
    base: Annotated[str, typer.Option(help="First level of every topic.")] = "kittiwake",
    guide: Annotated[bool, typer.Option("--guide", help="The guide's topics for readings and alerts.")] = False,
    bridge_id: Annotated[str, typer.Option("--id", help="Names this bridge at the broker.")] = "bridge",
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Log what happens on the links.")] = False,
) -> None:
    """Bring devices' records to a broker, until interrupted.

    A few ports by options: what cannot be reached at the start ends it with one line. Everything else by --config, as a
    service: what cannot be reached is waited for.
    """
    if context.invoked_subcommand is not None:
        return
    from kittiwake.bridge import process, settings
    from kittiwake.publish import publisher

    if (config is None) == (not port):
        raise UsageError(
            "name the devices by --port, or a configuration by --config", "`kittiwake bridge init` writes one"
        )
    if config is not None:
        source = process.Source(config, lambda: _load(config))
        process.run(_load(config), is_service=True, source=source)
        return
    policy = publisher.Policy(base=base, topics=publisher.GUIDE_TOPICS if guide else {})
    configuration = settings.of_ports(port or [], broker, policy, bridge_id, protocol="auto")
    configuration.bridge.log_level = "info" if verbose else "warning"
    process.run(configuration, is_service=False)


@app.command()
def init(
    path: Annotated[Path, typer.Argument(help="File to write; - for stdout.")] = Path("gateway.toml"),
    port: Annotated[str, typer.Option("--port", "-p", help="Port of the first device.")] = "auto",
    broker: Annotated[str, typer.Option(help="The broker.")] = "mqtt://localhost:1883",
) -> None:
    """Write a configuration with every setting, its meaning and its default."""
    from kittiwake.bridge import example
    from kittiwake.mqtt.address import parse_url

    parse_url(broker)
    text = example.text(port, broker)
    if str(path) == "-":
        print(text, end="")
        return
    try:
        with open(path, "x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise UsageError(f"{path} is there already", "name another file, or - for stdout") from error
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error.strerror}") from error
    print(f"wrote {path}; next: kittiwake bridge check --config {path}", file=sys.stderr)


@app.command()
def check(config: Config = Path("gateway.toml")) -> None:
    """Check a configuration and print what the bridge would do."""
    from kittiwake.bridge import check

    for line in check.lines(_load(config)):
        print(line)


@app.command()
def reload(config: Config = Path("gateway.toml"), as_json: Json = False) -> None:
    """Let the bridge that runs with this configuration take it up anew; devices that did not change go on."""
    from kittiwake.bridge import control

    answer = control.ask(config, "reload", _RELOAD_S)
    if as_json:
        print_json(answer)
    if answer.get("problem"):
        raise KittiwakeError(f"not reloaded, all stays as it was: {answer['problem']}")
    if not as_json:
        for line in answer.get("taken", []):
            print(line)
        for name in answer.get("needs_restart", []):
            print(f"{name} needs a restart")


@app.command()
def forget(
    device: Annotated[str, typer.Argument(help="Device id.")],
    config: Config = Path("gateway.toml"),
    force: Annotated[bool, typer.Option("--force", help="Also while it is on line.")] = False,
    as_json: Json = False,
) -> None:
    """Clear what the broker retains of a device that is gone: status, discovery, its place on the bridge's list."""
    from kittiwake.bridge import forget

    outcome = asyncio.run(forget.forget(_load(config), device, force))
    if as_json:
        print_json(outcome)
        return
    for topic in outcome["cleared"]:
        print(f"cleared {topic}")
    if not outcome["was_known"]:
        progress(f"nothing was retained of {device}: see whether the name is right")


@app.command()
def schema() -> None:
    """Print the configuration's JSON Schema."""
    from kittiwake.bridge.settings import Settings

    print(json.dumps(Settings.model_json_schema(), indent=2))


def _load(path: Path) -> Settings:
    from kittiwake.bridge.settings import Settings
    from kittiwake.config import load as config

    return config.load(path, Settings, os.environ)
