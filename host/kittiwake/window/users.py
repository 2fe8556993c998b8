"""People who may look, and those who may act: a file of names, roles and argon2 hashes. It knows no request."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path
from typing import Literal

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from kittiwake.errors import ConfigError, UsageError

Role = Literal["viewer", "operator"]
ROLES: tuple[Role, ...] = ("viewer", "operator")
PASSWORD_LEAST, PASSWORD_MOST = 10, 1024
_NAME = re.compile(r"[A-Za-z0-9._@-]{1,64}")
_HEAD = "# kittiwake window: name, role, argon2 hash. `kittiwake window user add` writes it.\n"


class Users:
    """The file.

    Args:
        path: of it.
        hasher: argon2's, with its own defaults where None.
    """

    def __init__(self, path: Path, hasher: PasswordHasher | None = None):
        self._path, self._hasher = path, hasher or PasswordHasher()
        self._nobody = self._hasher.hash("nobody has this password")

    def names(self) -> dict[str, Role]:
        """Give everybody's role, by name.

        Raises:
            ConfigError: the file cannot be read.
        """
        return {name: role for name, (role, _) in self._read().items()}

    def check(self, name: str, password: str) -> Role | None:
        """Give somebody's role, if that is the password. It takes as long for a name that nobody has.

        Args:
            name: of the person.
            password: as it was typed.

        Raises:
            ConfigError: the file cannot be read.
        """
        role, hashed = self._read().get(name, (None, self._nobody))
        try:
            self._hasher.verify(hashed, password[:PASSWORD_MOST])
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return None
        return role

    def add(self, name: str, password: str, role: Role) -> None:
        """Add somebody, or give them another password and role.

        Args:
            name: letters, digits, ".", "_", "@" and "-".
            password: of at least PASSWORD_LEAST characters.
            role: what they may.

        Raises:
            UsageError: the name or the password cannot be.
            ConfigError: the file cannot be read or written.
        """
        if not _NAME.fullmatch(name):
            raise UsageError(f"{name!r} is no name", "use up to 64 letters, digits, '.', '_', '@' and '-'")
        if not PASSWORD_LEAST <= len(password) <= PASSWORD_MOST:
            raise UsageError(f"the password has {len(password)} characters", f"take at least {PASSWORD_LEAST}")
        users = self._read() if self._path.exists() else {}
        self._write(users | {name: (role, self._hasher.hash(password))})

    def remove(self, name: str) -> None:
        """Remove somebody.

        Args:
            name: of the person.

        Raises:
            UsageError: there is nobody of that name.
            ConfigError: the file cannot be read or written.
        """
        users = self._read()
        if name not in users:
            raise UsageError(f"there is no user {name!r}", f"there are {', '.join(users) or 'none'}")
        del users[name]
        self._write(users)

    def _read(self) -> dict[str, tuple[Role, str]]:
        try:
            text = self._path.read_text()
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            raise ConfigError(f"{self._path} cannot be read: {why}", "`kittiwake window user add NAME`") from error
        users: dict[str, tuple[Role, str]] = {}
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.startswith("#"):
                continue
            name, _, rest = line.partition(":")
            role_text, _, hashed = rest.partition(":")
            role = next((each for each in ROLES if each == role_text), None)
            if not _NAME.fullmatch(name) or role is None or not hashed.startswith("$argon2"):
                raise ConfigError(f"{self._path}, line {number}: is no user", "`kittiwake window user add NAME`")
            users[name] = role, hashed
        return users

    def _write(self, users: dict[str, tuple[Role, str]]) -> None:
        lines = [f"{name}:{role}:{hashed}\n" for name, (role, hashed) in sorted(users.items())]
        try:
            # A file of mkstemp is its owner's alone, and the new one takes the old one's place whole.
            number, name = tempfile.mkstemp(dir=self._path.absolute().parent, prefix=".users-")
            with os.fdopen(number, "w") as file:
                file.writelines([_HEAD, *lines])
            os.replace(name, self._path)
        except OSError as error:
            raise ConfigError(f"{self._path} cannot be written: {error.strerror}") from error
