"""An MQTT broker for a first run: amqtt in a process of its own, on a free loopback port, open to anyone there.

Not for production: it keeps nothing on disk. Knows nothing of what is published.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging

from kittiwake.errors import KittiwakeError
from kittiwake.target.child import Child, end_with_parent

_HOST = "127.0.0.1"


class EmbeddedBroker:
    """A broker for as long as the context lasts: `with EmbeddedBroker() as url`.

    Attributes:
        url: `mqtt://127.0.0.1:PORT`, once entered.
        child: the process.
    """

    def __init__(self) -> None:
        self.url = ""
        self.child: Child | None = None

    def __enter__(self) -> str:
        if importlib.util.find_spec("amqtt") is None:
            raise KittiwakeError(
                "the embedded broker (amqtt) is not installed", "pip install 'kittiwake[demo]', or name a --broker"
            )
        self.child = Child("kittiwake.demo.broker", [], "the embedded broker")
        self.url = self.child.ready_line
        return self.url

    def __exit__(self, *_: object) -> None:
        if self.child is not None:
            self.child.stop()


async def _serve() -> None:
    from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
    from amqtt.broker import Broker

    # An external listener: the socket is ours, so the system can choose a free port and no one can take it between.
    broker = Broker(
        {
            "listeners": {"default": {"type": "external"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await broker.external_connected(StreamReaderAdapter(reader), StreamWriterAdapter(writer), "default")

    server = await asyncio.start_server(accept, _HOST, 0)
    print(f"mqtt://{_HOST}:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    logging.basicConfig(level=logging.CRITICAL)  # every client that vanishes is an error to amqtt
    end_with_parent()
    asyncio.run(_serve())
