"""The way out: a port and a session over it, turned together. Knows neither what port it is nor what is said there."""

if False:  # for mypy alone
    from kittiwake_types import Port, Session

_INPUT_BYTES = 512


class Uplink:
    """One port, one session.

    Args:
        port: see io/port.py.
        session: link.device_session.DeviceSession over a byte stream to a gateway, or mqtt.session.MqttSession
            over a connection to a broker, which comes and goes.
    """

    def __init__(self, port: "Port", session: "Session") -> None:
        self.port = port
        self.session = session
        self._input = bytearray(_INPUT_BYTES)
        self._view = memoryview(self._input)

    def take(self, now_ms: int) -> bool:
        """Take what has arrived. Returns whether anything has. Never blocks."""
        port, session = self.port, self.session
        session.set_link(port.poll(now_ms), now_ms)
        count = port.readinto(self._input)
        if count:
            session.feed(bytes(self._view[:count]), now_ms)
        return count > 0

    def give(self, now_ms: int) -> None:
        """Write what there is to say, as far as the port takes it. Never blocks."""
        port, session = self.port, self.session
        port.flush()
        while port.is_idle:
            frame = session.next_output(now_ms)
            if frame is None:
                break
            port.send(frame)
        if session.problem:
            port.drop(session.problem, now_ms)

    def close(self, now_ms: int) -> None:
        """An orderly end."""
        farewell = self.session.goodbye()
        if farewell and self.port.is_idle:
            self.port.send(farewell)
        self.port.close()
