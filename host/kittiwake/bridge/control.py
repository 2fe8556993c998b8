"""The running bridge's ear: a Unix socket that its user alone reaches, over which `kittiwake bridge reload` asks.

One line of JSON each way. It is found by the configuration's path, so that a file that cannot be read is no obstacle.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import socket
import stat
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

from kittiwake.errors import KittiwakeError
from kittiwake.peers import json_text

log = logging.getLogger(__name__)

_SERVICE = Path("/run/kittiwake")  # what the unit's RuntimeDirectory= makes
_LINE_LIMIT_BYTES = 65536
_PATIENCE_S = 5.0
_CONNECTIONS = 4

# Operation -> what carries it out and gives the answer.
Operations = Mapping[str, Callable[[], Awaitable[Mapping[str, Any]]]]


@contextlib.asynccontextmanager
async def listening(
    config: Path, operations: Operations, environment: Mapping[str, str] = os.environ
) -> AsyncIterator[None]:
    """Listen while the context lasts; where that is not possible, say so and go on without.

    Args:
        config: the configuration's path, by which we are found.
        operations: what can be asked.
        environment: says where sockets may lie.
    """
    server = None
    try:
        path = _place(config, environment)
        server = await _serve(path, operations)
    except OSError as error:
        log.warning("`kittiwake bridge reload` will not find this bridge, SIGHUP will: %s", error)
    if server is None:
        yield
        return
    try:
        async with server:
            yield
    finally:
        path.unlink(missing_ok=True)


def ask(config: Path, operation: str, timeout_s: float, environment: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Ask the bridge that runs with a configuration.

    Args:
        config: its path.
        operation: what is asked.
        timeout_s: for the answer.
        environment: says where sockets may lie.

    Returns:
        The answer.

    Raises:
        KittiwakeError: no such bridge runs here, or it does not answer.
    """
    refused: OSError | None = None
    for folder in dict.fromkeys((*_folders(environment), _SERVICE)):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as sock:
            sock.settimeout(timeout_s)
            try:
                sock.connect(str(folder / _name(config)))
            except PermissionError as error:
                refused = error
            except OSError:
                pass  # it is not there
            else:
                return _exchange(sock, config, operation)
    if refused is not None:
        raise KittiwakeError(f"a bridge with {config} is another user's", "ask as that user, or as root") from refused
    raise KittiwakeError(f"no bridge with {config} runs here", "start it; to one in a container send SIGHUP")


def _exchange(sock: socket.socket, config: Path, operation: str) -> dict[str, Any]:
    try:
        sock.sendall(json.dumps({"op": operation}).encode() + b"\n")
        with sock.makefile("rb") as file:
            answer = json_text.read(file.readline(_LINE_LIMIT_BYTES), _LINE_LIMIT_BYTES)
    except (OSError, json_text.Refusal) as error:
        raise KittiwakeError(f"the bridge of {config} does not answer", "see its log") from error
    if not isinstance(answer, dict):
        raise KittiwakeError(f"the bridge of {config} answers nonsense", "see its log")
    return answer


async def _serve(path: Path, operations: Operations) -> asyncio.Server:
    if path.exists():
        with contextlib.suppress(ConnectionRefusedError), socket.socket(socket.AF_UNIX) as sock:
            sock.connect(str(path))
            raise OSError(f"another bridge with this configuration runs ({path})")
        path.unlink()  # of one that was killed
    busy = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal busy
        busy += 1
        try:
            if busy <= _CONNECTIONS:
                async with asyncio.timeout(_PATIENCE_S):
                    line = await reader.readline()
                writer.write(json.dumps(await _carry_out(line, operations)).encode() + b"\n")
                async with asyncio.timeout(_PATIENCE_S):
                    await writer.drain()
        except (OSError, ValueError):
            pass  # it left, was slow, or sent no line
        finally:
            busy -= 1
            writer.close()

    server = await asyncio.start_unix_server(answer, path, limit=_LINE_LIMIT_BYTES)
    path.chmod(0o600)
    return server


async def _carry_out(line: bytes, operations: Operations) -> Mapping[str, Any]:
    try:
        request = json_text.read(line, _LINE_LIMIT_BYTES)
    except json_text.Refusal as refusal:
        return {"problem": str(refusal)}
    operation = request.get("op") if isinstance(request, dict) else None
    if not isinstance(operation, str) or operation not in operations:
        return {"problem": f"op: there are {', '.join(sorted(operations))}"}
    return await operations[operation]()


def _folders(environment: Mapping[str, str]) -> list[Path]:
    folders = []
    if environment.get("RUNTIME_DIRECTORY"):  # systemd's, of the unit
        folders.append(Path(environment["RUNTIME_DIRECTORY"].partition(":")[0]))
    if environment.get("XDG_RUNTIME_DIR"):
        folders.append(Path(environment["XDG_RUNTIME_DIR"]) / "kittiwake")
    return [*folders, Path(tempfile.gettempdir()) / f"kittiwake-{os.getuid()}"]


def _name(config: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(config))).hexdigest()[:16] + ".sock"


def _place(config: Path, environment: Mapping[str, str]) -> Path:
    folder = _folders(environment)[0]
    folder.mkdir(mode=0o700, exist_ok=True)
    state = folder.stat()
    # One in /tmp may be somebody else's, put there for us.
    if state.st_uid != os.getuid() or state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(f"{folder} is not ours alone")
    return folder / _name(config)
