from collections.abc import Mapping

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter

class Broker:
    def __init__(self, config: Mapping[str, object]) -> None: ...
    async def start(self) -> None: ...
    async def external_connected(
        self, reader: StreamReaderAdapter, writer: StreamWriterAdapter, listener_name: str
    ) -> None: ...
