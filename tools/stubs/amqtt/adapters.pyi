import asyncio

class StreamReaderAdapter:
    def __init__(self, reader: asyncio.StreamReader) -> None: ...

class StreamWriterAdapter:
    def __init__(self, writer: asyncio.StreamWriter) -> None: ...
