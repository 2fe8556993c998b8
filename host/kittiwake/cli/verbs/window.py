"""`kittiwake window`: the pages, in a browser, and who may see them."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from kittiwake.cli import broker_options
from kittiwake.cli.output import progress

_USERS = Path("kittiwake-users")

app = typer.Typer(
    name="window", help="Serve pages that show devices, alerts and gateways live.", invoke_without_command=True
)
user = typer.Typer(name="user", help="Who may see the pages, and who may act.", no_args_is_help=True)
app.add_typer(user)

_Name = Annotated[str, typer.Argument(help="Letters, digits, '.', '_', '@' and '-'.")]
_Users = Annotated[Path, typer.Option("--users", help="File of the users.")]


@app.callback()
def window(
    context: typer.Context,
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    listen: Annotated[
        str, typer.Option(help="Where the pages are, HOST:PORT, port 0 for a free one; 127.0.0.1:8800 where none.")
    ] = "",
    database: Annotated[str, typer.Option(help="File of the history; without one, pages know what came since.")] = "",
    notes: Annotated[
        str,
        typer.Option(
            help="File of what people leave: acknowledgements, the audit; kittiwake-window.sqlite where none."
        ),
    ] = "",
    inventory: Annotated[
        str, typer.Option(help="File of `kittiwake fleet`, with the tags; fleet.sqlite where none.")
    ] = "",
    rollouts: Annotated[str, typer.Option(help="File of `kittiwake rollout`; rollouts.sqlite where none.")] = "",
    releases: Annotated[
        str,
        typer.Option(help="Folder with releases that a roll-out may be taken back to; that of [releases] where none."),
    ] = "",
    users: Annotated[str, typer.Option(help="File of `user add`; without one, whoever sits here acts.")] = "",
    certificate: Annotated[str, typer.Option(help="Certificate for TLS, PEM.")] = "",
    key: Annotated[str, typer.Option(help="Its private key, PEM.")] = "",
    user_header: Annotated[
        str, typer.Option(help="Header in which a reverse proxy on this machine names who has logged in there.")
    ] = "",
    host: Annotated[list[str] | None, typer.Option(help="A name that browsers know it by; repeatable.")] = None,
    metrics: broker_options.Metrics = "",
) -> None:
    """Serve pages that show devices, alerts and gateways live, until interrupted.

    With --config, what no option says is taken from its section [window].
    """
    if context.invoked_subcommand is not None:
        return
    import asyncio

    from kittiwake.errors import UsageError

    gateway = broker_options.Gateway.of(config, broker, base)
    try:
        from kittiwake.window import server
        from kittiwake.window.settings import WindowSection
    except ModuleNotFoundError as error:
        raise UsageError(f"{error.name} is not installed", "pip install 'kittiwake[window]'") from error
    options = {
        "listen": listen, "database": database, "notes": notes, "inventory": inventory, "rollouts": rollouts,
        "releases": releases, "users": users,
        "certificate_file": certificate, "key_file": key, "user_header": user_header, "hosts": host, "metrics": metrics,
    }  # fmt: skip
    own = (gateway.window or WindowSection()).model_copy(
        update={name: value for name, value in options.items() if value}
    )
    settings = server.Settings(gateway.broker, gateway.base, gateway.own_topics, own)
    with gateway.exporting("window", own.listen) as exports:
        telemetry = exports.telemetry if exports else None
        asyncio.run(server.serve(settings, lambda url: progress(f"window: {url}"), telemetry))


@user.command()
def add(
    name: _Name,
    role: Annotated[Literal["viewer", "operator"], typer.Option(help="Viewers look, operators act.")] = "viewer",
    users: _Users = _USERS,
) -> None:
    """Add somebody, or give them another password; it is asked for, or read from a pipe, and never an argument."""
    from kittiwake.window.users import Users

    if sys.stdin.isatty():
        password = typer.prompt(f"Password of {name}", hide_input=True, confirmation_prompt=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    Users(users).add(name, password, role)
    progress(f"{users}: {name} is a {role}" if role == "viewer" else f"{users}: {name} is an {role}")


@user.command()
def remove(name: _Name, users: _Users = _USERS) -> None:
    """Remove somebody; a session of theirs ends when the window is started again."""
    from kittiwake.window.users import Users

    Users(users).remove(name)


@user.command("list")
def list_(users: _Users = _USERS) -> None:
    """List who there is."""
    from kittiwake.window.users import Users

    for name, role in Users(users).names().items():
        print(f"{name:<24} {role}")
