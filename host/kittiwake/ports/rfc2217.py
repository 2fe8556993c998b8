"""Serial ports of other machines (RFC 2217): what serialx wants of a server that not every server does."""

from __future__ import annotations

from typing import Any


def tolerant_transport() -> type:
    """Make a transport for RFC 2217 servers that never confirm the state masks.

    Those built on pyserial, esptool's among them, do not, and serialx would wait for them until it times out. Nothing
    here reads modem or line states, so the masks are sent without waiting.
    """
    from serialx.platforms.serial_rfc2217 import RFC2217SerialTransport
    from serialx.platforms.serial_rfc2217.types import Rfc2217Command, SetLinestateMaskCmd, SetModemstateMaskCmd

    class Tolerant(RFC2217SerialTransport):
        async def _send_and_wait(self, cmd: Rfc2217Command) -> Rfc2217Command:
            if isinstance(cmd, SetModemstateMaskCmd | SetLinestateMaskCmd):
                self._send_command(cmd)
                return cmd
            return await super()._send_and_wait(cmd)

    return Tolerant


def opened(path: str, **options: Any) -> Any:
    """Open a port whose reads and writes wait; one of another machine in the same tolerant way.

    Args:
        path: path or URL.
        options: as `serialx.serial_for_url` takes them.

    Returns:
        The port, open.

    Raises:
        OSError, ValueError, SerialException: it cannot be opened.
    """
    import serialx

    port = (_tolerant_port() if path.startswith("rfc2217://") else serialx.serial_for_url)(path, **options)
    port.open()
    return port


def _tolerant_port() -> type:
    from serialx.platforms.serial_rfc2217 import RFC2217Serial
    from serialx.platforms.serial_rfc2217.types import Rfc2217Command, SetLinestateMaskCmd, SetModemstateMaskCmd

    class Tolerant(RFC2217Serial):
        def _send_and_wait(self, cmd: Rfc2217Command) -> Rfc2217Command:
            if isinstance(cmd, SetModemstateMaskCmd | SetLinestateMaskCmd):
                self._send_command(cmd)
                return cmd
            return super()._send_and_wait(cmd)

    return Tolerant
