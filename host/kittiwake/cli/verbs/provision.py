"""`kittiwake provision`: what one board has of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from kittiwake.cli.output import print_json

_WIFI_VARIABLE, _MQTT_VARIABLE = "KITTIWAKE_WIFI_PASSWORD", "KITTIWAKE_MQTT_PASSWORD"
_FROM = "A file with it, - for stdin; else {} of the environment, else it is asked for."


def provision(
    port: Annotated[str, typer.Option("--port", "-p", help="The board's port.")] = "",
    target: Annotated[str, typer.Option(help="Instead: a target, which ends with the command: a rehearsal.")] = "",
    device: Annotated[str, typer.Option(help="The board's name, which its records and topics carry.")] = "",
    wifi: Annotated[str, typer.Option(metavar="SSID", help="The Wi-Fi's name.")] = "",
    wifi_password_file: Annotated[str, typer.Option(metavar="FILE", help=_FROM.format(_WIFI_VARIABLE))] = "",
    wifi_open: Annotated[bool, typer.Option("--wifi-open", help="The Wi-Fi has no password.")] = False,
    mqtt: Annotated[str, typer.Option(metavar="URL", help="mqtt://HOST:PORT or mqtts://HOST:PORT.")] = "",
    mqtt_user: Annotated[str, typer.Option(metavar="NAME", help="The broker's user.")] = "",
    mqtt_password_file: Annotated[str, typer.Option(metavar="FILE", help=_FROM.format(_MQTT_VARIABLE))] = "",
    ca: Annotated[Path | None, typer.Option(help="Authorities that the board trusts, PEM.")] = None,
    certificate: Annotated[Path | None, typer.Option(help="The board's own certificate, PEM; with --key.")] = None,
    key: Annotated[Path | None, typer.Option(help="Its key, PEM, not encrypted.")] = None,
    release_key: Annotated[
        list[Path] | None, typer.Option(help="A public key whose releases it takes, .pub; name all of them, up to 4.")
    ] = None,
    signed_settings: Annotated[
        bool, typer.Option("--signed-settings", help="It takes settings from signed releases alone, no config_set.")
    ] = False,
    forget: Annotated[
        list[str] | None,
        typer.Option(help="device, wifi, broker, certificates, release-keys, signed-settings or all; repeatable."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for machines.")] = False,
) -> None:
    """Give a board its name, network, certificates and release keys, which deploying leaves alone; or tell them.

    Secrets come from files, the environment or the terminal, and are never shown. The board's node is stopped for it
    and started again.
    """
    from kittiwake.config import credentials
    from kittiwake.deploy import application
    from kittiwake.deploy import provision as work
    from kittiwake.errors import KittiwakeError
    from kittiwake.release import keys

    settings = {
        ("device", ""): device,
        ("wifi", "ssid"): wifi,
        ("mqtt", "url"): mqtt,
        ("mqtt", "username"): mqtt_user,
        ("release", "settings"): "signed" if signed_settings else "",
    }
    settings = {name: value for name, value in settings.items() if value}
    secrets = {("mqtt", name): content for name, content in credentials.certificates(ca, certificate, key).items()}
    if release_key:
        secrets["release", "keys_file"] = keys.joined(release_key)
    groups = tuple(work.GROUPS) if "all" in (forget or ()) else tuple(forget or ())
    work.check(work.Own(settings, secrets, groups))
    if wifi or wifi_password_file:
        password = b"" if wifi_open else credentials.secret("Wi-Fi password", wifi_password_file, _WIFI_VARIABLE)
        secrets["wifi", "password_file"] = password
    if mqtt_user or mqtt_password_file:
        secrets["mqtt", "password_file"] = credentials.secret("MQTT password", mqtt_password_file, _MQTT_VARIABLE)
    own = work.Own(settings, secrets, groups)
    work.check(own)
    written: list[str] = []
    with application.borrowed(port, target) as board:
        if not own.is_empty:
            try:
                config = application.find(board).config
            except KittiwakeError:
                config = None  # a board may get its name before its application
            written = work.write(board, own, config)
        there = work.read(board)
    if as_json:
        print_json({"target": port or target, "written": written, **there})
        return
    print(f"device       {there.get('device', 'as its configuration says')}")
    for table in ("wifi", "mqtt", "release"):
        listed = ", ".join(f"{name} {value}" for name, value in sorted(there.get(table, {}).items()))
        print(f"{table:<12} {listed or 'as its configuration says'}")
    if not own.is_empty:
        print(f"{len(written)} files written" if written else "nothing to write: all was there")
