"""Where in a TOML text each key stands, so that a wrong value can be named by its line.

Knows TOML's outer grammar only (tables, keys, and how values are skipped); the values themselves are tomllib's.
"""

from __future__ import annotations

import re

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_SPACE = re.compile(r"[ \t]*")
_REST = re.compile(r"[^\"'\[\]{},#\n]*")

Path = tuple[str | int, ...]


def lines_by_key(text: str) -> dict[Path, int]:
    """Find the line of every table and key.

    Args:
        text: a TOML document that tomllib takes; of any other, what was found up to the fault is given.

    Returns:
        Path of keys (with a number for each element of an array of tables) -> line, from 1. Keys inside inline
        tables and arrays are found too.
    """
    scanner = _Scanner(text)
    try:
        scanner.scan()
    except (IndexError, RecursionError, _LostError):
        pass  # tomllib names the fault; what came before it is still right
    return scanner.lines


class _LostError(Exception):
    """The text is no TOML here."""


class _Scanner:
    def __init__(self, text: str):
        self._text = text.replace("\r\n", "\n") + "\n"
        self._at = 0
        self._counted_to, self._counted_line = 0, 1
        self._tables: dict[Path, int] = {}
        self.lines: dict[Path, int] = {}

    def scan(self) -> None:
        here: Path = ()
        while self._skip_blank():
            line = self._line()
            if self._take("[["):
                here = self._array_table(self._keys(), line)
                self._need("]]")
            elif self._take("["):
                here = self._resolve(self._keys())
                self.lines.setdefault(here, line)
                self._need("]")
            else:
                self._pair(here)
            self._to_line_end()

    def _array_table(self, keys: Path, line: int) -> Path:
        path = (*self._resolve(keys[:-1]), keys[-1])
        number = self._tables.get(path, -1) + 1
        self._tables[path] = number
        self.lines.setdefault(path, line)
        self.lines[(*path, number)] = line
        return (*path, number)

    def _resolve(self, keys: Path) -> Path:
        # `[devices.link]` after `[[devices]]` belongs to the newest element.
        path: Path = ()
        for key in keys:
            path = (*path, key)
            if path in self._tables:
                path = (*path, self._tables[path])
        return path

    def _pair(self, here: Path) -> None:
        line = self._line()
        path = here
        for key in self._keys():
            path = (*path, key)
            self.lines.setdefault(path, line)
        self._need("=")
        self._value(path)

    def _keys(self) -> Path:
        keys = []
        while True:
            self._space()
            quote = self._text[self._at]
            if quote in "\"'":
                keys.append(self._string(quote))
            else:
                match = _BARE.match(self._text, self._at)
                if not match:
                    raise _LostError
                keys.append(match.group())
                self._at = match.end()
            self._space()
            if not self._take("."):
                return tuple(keys)

    def _value(self, path: Path) -> None:
        self._space()
        first = self._text[self._at]
        if first in "\"'":
            self._string(first)
        elif self._take("["):
            number = 0
            while self._skip_blank() and not self._take("]"):
                self.lines.setdefault((*path, number), self._line())
                self._value((*path, number))
                number += 1
                self._skip_blank()
                self._take(",")
        elif self._take("{"):
            while self._skip_blank() and not self._take("}"):
                self._pair(path)
                self._skip_blank()
                self._take(",")
        else:
            self._skip(_REST)

    def _string(self, quote: str) -> str:
        mark = quote * 3 if self._text.startswith(quote * 3, self._at) else quote
        self._at += len(mark)
        start = self._at
        while not self._text.startswith(mark, self._at):
            if self._text[self._at] == "\n" and len(mark) == 1:
                raise _LostError
            self._at += 2 if quote == '"' and self._text[self._at] == "\\" else 1
        text = self._text[start : self._at]
        self._at += len(mark)
        return text

    def _skip_blank(self) -> bool:
        while self._at < len(self._text):
            if self._text[self._at] in " \t\n":
                self._at += 1
            elif self._text[self._at] == "#":
                self._to_line_end()
            else:
                return True
        return False

    def _to_line_end(self) -> None:
        end = self._text.find("\n", self._at)
        self._at = len(self._text) if end < 0 else end

    def _space(self) -> None:
        self._skip(_SPACE)

    def _skip(self, pattern: re.Pattern[str]) -> None:
        match = pattern.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _take(self, token: str) -> bool:
        if self._text.startswith(token, self._at):
            self._at += len(token)
            return True
        return False

    def _need(self, token: str) -> None:
        self._space()
        if not self._take(token):
            raise _LostError

    def _line(self) -> int:
        # From where it was asked last: from the start each time would take as long as the text is, squared.
        self._counted_line += self._text.count("\n", self._counted_to, self._at)
        self._counted_to = self._at
        return self._counted_line
