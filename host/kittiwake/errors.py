"""Errors the host raises on purpose: each says what is wrong, how to mend it, and the exit code of the command.

This module knows nothing of what raises them. Any other exception that escapes is a bug.
"""

import copy
from typing import Self

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_DEVICE = 3
EXIT_PORT_BUSY = 4
EXIT_VERIFICATION = 5
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells count


class KittiwakeError(Exception):
    """Root of every error that the host raises on purpose.

    Args:
        message: one line, what is wrong; names the file, port or setting at fault.
        mend: one line, what the reader can do about it; empty when there is nothing to say.
    """

    exit_code = EXIT_FAILED

    def __init__(self, message: str, mend: str = ""):
        super().__init__(message, mend)
        self.message = message
        self.mend = mend

    def __str__(self) -> str:
        return f"{self.message}; {self.mend}" if self.mend else self.message

    def with_note(self, note: str, mend: str | None = None) -> Self:
        """Make the same error with more to say; this one stays as it is.

        Args:
            note: follows the message, after a semicolon.
            mend: in place of its own; None to keep that.

        Returns:
            A new error of the same class and with the same fields.
        """
        error = copy.copy(self)
        error.message = f"{self.message}; {note}"
        error.mend = self.mend if mend is None else mend
        error.args = (error.message, error.mend)
        return error


class UsageError(KittiwakeError):
    """The command was asked for something it does not know: a verb, a target, an argument."""

    exit_code = EXIT_USAGE


class ConfigError(KittiwakeError):
    """A configuration or an input value cannot be: out of range, unknown, contradictory."""

    exit_code = EXIT_USAGE


class RefusedError(ConfigError):
    """The firmware on a target refused what it was given.

    Args:
        message: one line, what is wrong.
        code: the firmware's own short name of the reason, such as "memory".
        mend: one line, what to do about it.
    """

    def __init__(self, message: str, code: str, mend: str = ""):
        super().__init__(message, mend)
        self.code = code


class NoDeviceError(KittiwakeError):
    """No board, port or emulator where one was named."""

    exit_code = EXIT_NO_DEVICE


class PortBusyError(KittiwakeError):
    """The port is there, but another program holds it."""

    exit_code = EXIT_PORT_BUSY


class PortLostError(KittiwakeError):
    """The port was open and went away: unplugged, the peer closed, the board died."""


class TargetError(KittiwakeError):
    """Code on a target failed, or the target died or stopped answering.

    Args:
        message: one line, what is wrong.
        mend: one line, what to do about it.
        traceback: what the board printed, as it came; empty when it printed nothing.
        printed: what the code printed before its traceback, where `traceback` is one.
    """

    def __init__(self, message: str, mend: str = "", traceback: str = "", printed: str = ""):
        super().__init__(message, mend)
        self.traceback = traceback
        self.printed = printed

    @property
    def last_line(self) -> str:
        """The board's own words in short: the last line of its traceback; the message where it printed none."""
        lines = self.traceback.strip().splitlines()
        return lines[-1] if lines else self.message


class VerificationError(KittiwakeError):
    """Two things that must be equal are not: firmware and reference, file and flash."""

    exit_code = EXIT_VERIFICATION
