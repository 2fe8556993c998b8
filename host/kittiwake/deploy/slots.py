"""Two slots on a board, one that runs and one to write to, through nothing but code run at its prompt.

Knows folders, hashes and the order in which they are written so that a cut at any point leaves one whole application;
not what an application is. firmware/main.py reads what is written here.
"""

from __future__ import annotations

import binascii
import hashlib
import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from kittiwake import board_code
from kittiwake.deploy import watchdog
from kittiwake.errors import KittiwakeError, TargetError, VerificationError
from kittiwake.target.base import Target

NAMES = ("app-a", "app-b")
_PIECE_BYTES = 2048
_TIMEOUT_S = 120.0
# Small builds know no names of errors. Source: MicroPython, py/mperrno.h.
_FULL = re.compile(r"OSError: (\[Errno 28\]|28\b)")


class Slots:
    """The slots of a started board.

    Args:
        board: at its prompt.
    """

    def __init__(self, board: Target):
        self._board = board
        board.exec(board_code.source("deploy/slots"))
        self._numbers = {name: self._ask("mark_number", f"{name}/ready") for name in NAMES}
        watchdog.keep_fed(board, self._config)

    def renew(self) -> None:
        """Bring the board what it needs for the other methods once more, after a reboot."""
        self._board.exec(board_code.source("deploy/slots"))
        watchdog.keep_fed(self._board, self._config)

    @property
    def _config(self) -> str:
        return f"{self.active}/node.json" if self.active else "node.json"

    @property
    def active(self) -> str | None:
        """The slot that the board starts, None when it has none that is whole."""
        newest = max(NAMES, key=lambda name: self._numbers[name])
        return newest if self._numbers[newest] else None

    @property
    def free(self) -> str:
        """The slot to write to."""
        return NAMES[1] if self.active == NAMES[0] else NAMES[0]

    def read(self, path: str) -> bytes | None:
        """Read a file of the board's.

        Args:
            path: on the board.

        Returns:
            Its content; None when it is not there.
        """
        text = self._ask("file_content", path)
        return binascii.a2b_base64(text) if text else None

    def hashes(self, paths: Collection[str]) -> dict[str, str]:
        """Give the SHA-256, in hexadecimal, of those files that are there.

        Args:
            paths: on the board.
        """
        digests = zip(paths, self._ask("file_hashes", list(paths)), strict=True) if paths else ()
        return {path: digest for path, digest in digests if digest}

    def fetch(self, path: str) -> bytes:
        """Read a file of the board's that may be larger than its memory, in pieces.

        Args:
            path: on the board; it is there.
        """
        content = b""
        while piece := binascii.a2b_base64(self._ask("file_piece", path, len(content), _PIECE_BYTES)):
            content += piece
        return content

    def differing(self, slot: str, files: Mapping[str, bytes], known: Mapping[str, str] | None = None) -> list[str]:
        """List what of a slot is not as it should be: by SHA-256, read back on the board; and what is too much.

        Args:
            slot: its name.
            files: path in the slot -> content; "" for a slot is the board's root, where more may lie.
            known: path in the slot -> SHA-256, of files that belong there, and whose content is not at hand.

        Returns:
            Paths on the board.
        """
        expected = {f"{slot}/{path}" if slot else path: _sha256(content) for path, content in files.items()}
        expected.update({f"{slot}/{path}": digest for path, digest in (known or {}).items()})
        if not slot:
            digests = self.hashes(expected)
        else:
            # One digest of all where all is as it should be; the names and hashes of a hundred files take a second.
            listing = "".join(f"{expected[path]} {path}\n" for path in sorted(expected))
            if self._ask("slot_digest", slot) == _sha256(listing.encode()):
                return []
            lines = self._board.exec(f"list_slot({slot!r}, print)", _TIMEOUT_S).splitlines()
            digests = {path: digest for digest, _, path in (line.partition(" ") for line in lines)}
        wrong = [path for path in expected if digests.get(path) != expected[path]]
        return wrong + [path for path in digests if path not in expected]

    def check_room(self, files: Mapping[str, bytes]) -> None:
        """Refuse what the board's file system could not hold if it were empty.

        Args:
            files: of one slot.

        Raises:
            KittiwakeError: they are too large.
        """
        has = self._ask("file_system_bytes")
        need = sum(map(len, files.values()))
        if need > has:
            raise KittiwakeError(
                f"the application takes {need // 1024} KiB, and the board's file system has {has // 1024}",
                "this board is too small for it",
            )

    def write(self, slot: str, files: Mapping[str, bytes], progress: Callable[[int, int], None]) -> list[str]:
        """Fill a slot that the board does not start, and read it back.

        Args:
            slot: its name; it is not whole from the first change on, until `switch`.
            files: path in the slot -> content.
            progress: told (files looked at, of so many).

        Returns:
            The paths on the board that were written.

        Raises:
            VerificationError: what was read back is something else.
            KittiwakeError: the file system is full.
        """
        self.withdraw(slot)
        wrong = self.differing(slot, files)
        contents = {f"{slot}/{path}": content for path, content in files.items()}
        for path in wrong:
            if path not in contents:
                self._board.exec(board_code.call("remove_file", path), _TIMEOUT_S)
        # Also where an earlier deployment was cut between the files and their folders.
        self._board.exec(board_code.call("remove_empty_folders", slot), _TIMEOUT_S)
        changed = [path for path in wrong if path in contents]
        try:
            for count, path in enumerate(changed):
                progress(count, len(changed))
                self._board.deploy({path: contents[path]})
        except TargetError as error:
            if not _FULL.search(error.traceback):
                raise
            # The journal lives in the same file system and needs the room.
            self.clear(slot)
            need = sum(map(len, contents.values())) // 1024
            raise KittiwakeError(
                f"the board's file system is full: an application of {need} KiB did not fit, and was removed",
                "remove files from the board, or deploy fewer models",
            ) from error
        progress(len(changed), len(changed))
        self._board.exec("sync_files()", _TIMEOUT_S)
        wrong = self.differing(slot, files)
        if wrong:
            raise VerificationError(f"{wrong[0]} reads back wrong; the board still starts what it did", "deploy again")
        return changed

    def switch(self, slot: str) -> None:
        """Make a verified slot the one that the board starts: one small file, which is whole or does not count.

        Args:
            slot: its name.
        """
        number = str(max(self._numbers.values()) + 1)
        text = f"{number} {binascii.crc32(number.encode()):08x}"
        self._board.exec(board_code.call("write_text", f"{slot}/ready", text), _TIMEOUT_S)
        self._numbers[slot] = int(number)

    def withdraw(self, slot: str) -> None:
        """Take a slot back: the board starts the other one, or nothing.

        Args:
            slot: its name.
        """
        self._remove(f"{slot}/ready")
        self._remove(f"{slot}/trial")  # before `tried`, a stranger, goes: it would let the slot start once more
        self._numbers[slot] = 0

    def clear(self, slot: str) -> None:
        """Remove all of a slot that the board does not start.

        Args:
            slot: its name.
        """
        self.withdraw(slot)
        self._board.exec(f"{board_code.call('clear_folder', slot)}; sync_files()", _TIMEOUT_S)

    def replace(self, path: str, content: bytes) -> None:
        """Replace a file of the root by one that was read back, in one step where the file system has one.

        Args:
            path: in the root.
            content: the new one.

        Raises:
            VerificationError: the copy reads back wrong; the file is as it was.
        """
        self._board.deploy({path + ".new": content})
        if self.differing("", {path + ".new": content}):
            raise VerificationError(f"{path}.new reads back wrong; {path} is as it was", "deploy again")
        rename = board_code.call("os.rename", path + ".new", path)
        self._board.exec(f"import os; {rename}; sync_files()", _TIMEOUT_S)

    def size(self, slot: str) -> int:
        """Bytes of a slot's files.

        Args:
            slot: its name.
        """
        size: int = self._ask("slot_bytes", slot)
        return size

    def prune(self, folder: str, kept: Collection[str]) -> None:
        """Remove the files of a folder but those that are named.

        Args:
            folder: on the board.
            kept: paths on the board.
        """
        for path in self._ask("files_under", folder, []):
            if path not in kept:
                self._board.exec(board_code.call("remove_file", path), _TIMEOUT_S)
        self._board.exec("sync_files()", _TIMEOUT_S)

    def _remove(self, path: str) -> None:
        self._board.exec(f"{board_code.call('remove_file', path)}; sync_files()", _TIMEOUT_S)

    def _ask(self, function: str, *arguments: object) -> Any:
        reply = self._board.exec(f"print_json({board_code.call(function, *arguments)})", _TIMEOUT_S)
        try:
            return json.loads(reply)
        except ValueError as error:
            raise TargetError("what the board says is garbled on its way", "try another cable", reply) from error


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
