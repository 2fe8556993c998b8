"""A TCP proxy that treats each connection as it is told: what stands between a board and its broker, on a bad day."""

import asyncio
import threading

REFUSAL = bytes([0x20, 2, 0, 5])  # CONNACK, not authorised


class BadProxy:
    """Listens on a free loopback port; the n-th connection gets the n-th treatment, later ones pass.

    Args:
        port: of the broker.
        treatments: "close" at once, "garbage" instead of MQTT, "refuse" in MQTT, ("cut", bytes) after so many bytes of
            the board's, "trickle" a few bytes at a time both ways, or a coroutine function of reader and writer.
    """

    def __init__(self, port, treatments):
        self._broker_port = port
        self._treatments = list(treatments)
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._server = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    def __exit__(self, *_):
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _end(self):
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _serve(self, reader, writer):
        treatment = self._treatments[self.connections] if self.connections < len(self._treatments) else "pass"
        self.connections += 1
        try:
            if treatment == "garbage":
                writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            elif callable(treatment):
                await treatment(reader, writer)
            elif treatment == "refuse":
                await reader.read(1)
                writer.write(REFUSAL)
            if treatment in ("garbage", "refuse"):
                await writer.drain()
                await reader.read()  # until the board has had enough
            elif treatment != "close" and not callable(treatment):
                await self._relay(reader, writer, treatment)
        except OSError:
            pass
        finally:
            writer.close()

    async def _relay(self, reader, writer, treatment):
        there_reader, there_writer = await asyncio.open_connection("127.0.0.1", self._broker_port)
        limit = treatment[1] if isinstance(treatment, tuple) else None
        piece = 7 if treatment == "trickle" else 4096
        ways = [
            asyncio.ensure_future(self._copy(reader, there_writer, limit, piece)),
            asyncio.ensure_future(self._copy(there_reader, writer, None, piece)),
        ]
        try:
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            there_writer.transport.abort()
            writer.transport.abort()

    async def _copy(self, reader, writer, limit, piece):
        passed = 0
        while limit is None or passed < limit:
            data = await reader.read(piece if limit is None else min(piece, limit - passed))
            if not data:
                return
            passed += len(data)
            writer.write(data)
            await writer.drain()
            if piece < 100:
                await asyncio.sleep(0)  # the pieces leave one by one
