"""Errors the host raises on purpose: each says what is wrong, how to mend it, and the exit code of the command.

This module knows nothing of what raises them. Any other exception that escapes is a bug.
"""

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


class UsageError(KittiwakeError):
    """The command was asked for something it does not know: a verb, a target, an argument."""

    exit_code = EXIT_USAGE


class ConfigError(KittiwakeError):
    """A configuration or an input value cannot be: out of range, unknown, contradictory."""

    exit_code = EXIT_USAGE


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
    """

    def __init__(self, message: str, mend: str = "", traceback: str = ""):
        super().__init__(message, mend)
        self.traceback = traceback


class VerificationError(KittiwakeError):
    """Two things that must be equal are not: firmware and reference, file and flash."""

    exit_code = EXIT_VERIFICATION
