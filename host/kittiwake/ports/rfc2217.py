"""Serial ports of other machines (RFC 2217): what serialx wants of a server that not every server does."""

from __future__ import annotations


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
