"""Errors the board raises on purpose, by whose fault they are; anything else that escapes is a bug.

This module knows nothing of what raises them.
"""


class NodeError(Exception):
    """Root of every error that the firmware raises on purpose.

    Args:
        code: short stable identifier, e.g. "unreachable-threshold"; tests and the host match on it.
        detail: one line for a person, saying what is wrong and how to mend it.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        # One argument: MicroPython shows several as a tuple, below its traceback.
        super().__init__("%s: %s" % (code, detail) if detail else code)
        self.code = code
        self.detail = detail

    def __str__(self) -> str:
        return "%s: %s" % (self.code, self.detail) if self.detail else self.code


class ConfigError(NodeError):
    """The caller asked for something that cannot be: settings out of range, unknown names."""


class FrameError(NodeError):
    """The peer sent something that is not what the specification says."""


class StorageError(NodeError):
    """The medium failed: full, read-only, foreign, damaged."""


class ModelError(NodeError):
    """A model plan is not one that this firmware can run."""
