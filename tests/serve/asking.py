"""Asks the service without a socket: requests as ASGI has them."""

import asyncio
import json

from kittiwake.serve.app import Application
from kittiwake.serve.settings import ServeSection


class Asker:
    """A service over a folder of models; every request runs in one loop."""

    def __init__(self, folder, **settings):
        self.app = Application(ServeSection(models=str(folder), **settings))
        self.app.store.scan()

    def ask(self, method, path, body=b"", headers=()):
        """(status, headers, body)."""
        return asyncio.run(self.asked(method, path, body, headers))

    async def asked(self, method, path, body=b"", headers=(), parts=None):
        if not isinstance(body, bytes):
            body = json.dumps(body).encode()
        waiting = list(parts) if parts is not None else [body]
        reply = {"body": b""}

        async def receive():
            if not waiting:
                await asyncio.sleep(60)
            part = waiting.pop(0)
            return {"type": "http.request", "body": part, "more_body": bool(waiting) or parts is not None}

        async def send(message):
            if message["type"] == "http.response.start":
                reply["status"], reply["headers"] = message["status"], dict(message["headers"])
            else:
                reply["body"] += message["body"]

        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "raw_path": path.encode(),
            "root_path": "",
            "query_string": b"",
            "headers": [(name.lower().encode(), str(value).encode()) for name, value in dict(headers).items()],
        }
        await self.app(scope, receive, send)
        assert int(reply["headers"][b"content-length"]) == len(reply["body"])
        return reply["status"], reply["headers"], reply["body"]

    def json(self, method, path, body=b"", headers=()):
        """(status, what the body says)."""
        status, _, raw = self.ask(method, path, body, headers)
        return status, json.loads(raw)
