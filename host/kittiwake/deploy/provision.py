"""What one board has of its own: its name, its network, certificates and passwords, written to it and kept by deploys.

Knows files on a board; how the firmware uses them is in its io/provisioned.py and docs/spec/files.md. A
secret is never printed, and leaves this machine only over the board's console.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kittiwake import board_code
from kittiwake.deploy.slots import Slots
from kittiwake.errors import ConfigError
from kittiwake.target.base import NodeConfig, Target
from kittiwake_node.link.messages import is_device_id

_PATH = "provision.json"
_FOLDER = "provision"
# Which setting names the file of which secret, and what the file is called, before a token that makes it new.
_FILES = {
    ("wifi", "password_file"): "wifi",
    ("mqtt", "password_file"): "mqtt",
    ("mqtt", "ca_file"): "ca",
    ("mqtt", "certificate_file"): "certificate",
    ("mqtt", "key_file"): "key",
    ("release", "keys_file"): "release",
}
# What goes together, and is forgotten together.
GROUPS = {
    "device": (("device", ""),),
    "wifi": (("wifi", "ssid"), ("wifi", "password_file")),
    "broker": (("mqtt", "url"), ("mqtt", "username"), ("mqtt", "password_file")),
    "release-keys": (("release", "keys_file"),),
    "signed-settings": (("release", "settings"),),
    "certificates": (("mqtt", "ca_file"), ("mqtt", "certificate_file"), ("mqtt", "key_file")),
}
_PASSPHRASE = range(8, 64)  # IEEE 802.11-2020, J.4.1: 8 to 63 printable characters; 64 hexadecimal digits are a key


OnBoard = dict[str, Any]
"""What is in the file: `device`, and tables whose settings are texts, as docs/spec/files.md has it."""


@dataclass(frozen=True)
class Own:
    """What a board is to have of its own; what is not given stays as it is.

    Args:
        settings: (table, setting) -> text; ("device", "") for the name.
        secrets: (table, setting that names the file) -> content; empty for none, as of an open network.
        forget: names of GROUPS, which are removed first.
    """

    settings: Mapping[tuple[str, str], str] = field(default_factory=dict)
    secrets: Mapping[tuple[str, str], bytes] = field(default_factory=dict, repr=False)
    forget: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to change."""
        return not (self.settings or self.secrets or self.forget)


def check(own: Own) -> None:
    """Refuse what no board could use, before one is touched.

    Args:
        own: what a board is to have.

    Raises:
        ConfigError: names the setting and the mend; never says what a secret is.
    """
    device = own.settings.get(("device", ""))
    if device is not None and not is_device_id(device.encode()):
        raise ConfigError(f"{device!r} names no device", "1 to 64 letters, digits, '-', '_' or '.'")
    ssid = own.settings.get(("wifi", "ssid"))
    if ssid is not None and not 1 <= len(ssid.encode()) <= 32:
        raise ConfigError(f"{ssid!r} is no network's name", "it has 1 to 32 bytes")
    password = own.secrets.get(("wifi", "password_file"))
    if password and not _is_passphrase(password):
        raise ConfigError(
            f"the Wi-Fi password has {len(password)} bytes",
            "it is 8 to 63 printable ASCII characters, or 64 hexadecimal digits",
        )
    url = own.settings.get(("mqtt", "url"))
    if url is not None and (not url.startswith(("mqtt://", "mqtts://")) or "@" in url):
        raise ConfigError(
            "the broker's URL is not mqtt://HOST:PORT or mqtts://HOST:PORT", "the user is for --mqtt-user"
        )
    unknown = sorted(set(own.forget) - set(GROUPS))
    if unknown:
        raise ConfigError(f"there is no {unknown[0]} to forget", f"there are: {', '.join(GROUPS)}, all")


def read(board: Target) -> OnBoard:
    """Tell what is on a board: secrets by the names of their files alone.

    Args:
        board: at its prompt.

    Raises:
        ConfigError: the file on it is damaged.
    """
    return _read_old(Slots(board))


def write(board: Target, own: Own, config: NodeConfig | None = None) -> list[str]:
    """Give a board what it is to have: new files first, then the one that names them, in one step, then old ones go.

    Interrupted or cut off at any point, the board has what it had before or what it was given.

    Args:
        board: started; its application's modules importable where `config` is given.
        own: checked.
        config: of the node that is on it, which must be able to start with it; None where there is none yet.

    Returns:
        The paths that were written; none when all was there.

    Raises:
        ConfigError: the node would not start with it; the board has what it had.
        VerificationError, TargetError: of the board.
    """
    slots = Slots(board)
    # Who forgets everything can mend a board whose file is damaged.
    old = {} if set(own.forget) == set(GROUPS) else _read_old(slots)
    new = _changed(old, own)
    written = []
    for (table, name), content in own.secrets.items():
        path = old.get(table, {}).get(name, "")
        if not content:
            new[table].pop(name, None)
        elif path and not slots.differing("", {path: content}):
            new[table][name] = path
        else:
            path = new[table][name] = f"{_FOLDER}/{_FILES[table, name]}-{secrets.token_hex(4)}"
            board.deploy({path: content})
            written.append(path)
    text = json.dumps({key: value for key, value in new.items() if value}, sort_keys=True).encode()
    if not written and not slots.differing("", {_PATH: text}):
        return []
    if config is not None:
        try:
            _let_judge(board, config, text)
        except ConfigError:
            slots.prune(_FOLDER, _files_of(old))
            raise
    slots.replace(_PATH, text)
    slots.prune(_FOLDER, _files_of(new))
    return [*written, _PATH]


def _files_of(own: OnBoard) -> list[str]:
    return [own[table][name] for table, name in _FILES if name in own.get(table, {})]


def _let_judge(board: Target, config: NodeConfig, text: bytes) -> None:
    tried = _PATH + ".try"
    board.deploy({tried: text})
    try:
        judge = board_code.call("print_provisioned_refusal", json.dumps(config), tried)
        refusal = board.exec(board_code.source("deploy/provision") + judge, 60.0).strip()
    finally:
        board.exec("import os; " + board_code.call("os.remove", tried))
    if refusal:
        raise ConfigError(f"the board's node would not start with it: {refusal}", "the board has what it had")


def _changed(old: OnBoard, own: Own) -> OnBoard:
    new: OnBoard = {table: dict(old.get(table, {})) for table in ("wifi", "mqtt", "release")}
    if "device" in old:
        new["device"] = old["device"]
    for group in own.forget:
        for table, name in GROUPS[group]:
            if name:
                new[table].pop(name, None)
            else:
                new.pop(table, None)
    for (table, name), value in own.settings.items():
        if name:
            new[table][name] = value
        else:
            new[table] = value
    return new


def _read_old(slots: Slots) -> OnBoard:
    raw = slots.read(_PATH)
    try:
        old = json.loads(raw) if raw else {}
    except ValueError:
        old = None
    if not isinstance(old, dict):
        raise ConfigError(f"{_PATH} on the board is damaged", "give everything anew, with --forget all")
    return old


def _is_passphrase(password: bytes) -> bool:
    if len(password) == 64:
        return all(byte in b"0123456789abcdefABCDEF" for byte in password)
    return len(password) in _PASSPHRASE and all(32 <= byte < 127 for byte in password)
