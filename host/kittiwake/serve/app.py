"""The table of routes, and what stands behind it: models, the runner, the figures."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

from prometheus_client import Metric
from starlette.exceptions import HTTPException
from starlette.routing import Route, Router
from starlette.types import Receive, Scope, Send

from kittiwake.config import credentials
from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.serve import openapi
from kittiwake.serve.exchange import Call, Endpoint, Reply, reply_json, send_reply
from kittiwake.serve.gate import Gate
from kittiwake.serve.guide import Guide
from kittiwake.serve.inference import Inference
from kittiwake.serve.metrics import CONTENT_TYPE, Metrics
from kittiwake.serve.runner import Runner
from kittiwake.serve.settings import ServeSection
from kittiwake.serve.store import ModelStore
from kittiwake.serve.v1 import V1
from kittiwake.serve.v2 import V2

log = logging.getLogger(__name__)


class Application:
    """The service, as ASGI has it.

    Args:
        section: the settings.

    Attributes:
        store: the models.

    Raises:
        UsageError: there is no such folder, or the token's file cannot be read.
        ConfigError: the token is empty.
    """

    def __init__(self, section: ServeSection):
        self.store = ModelStore(Path(section.models), section.default, section.threads_of_a_model)
        self._runner = Runner(section.threads, section.queue, section.timeout_s, section.inline_ms)
        self._metrics = Metrics(self.store, self._runner)
        self._section = section
        self._token = read_token(section.token_file)
        inference = Inference(self.store, self._runner, self._metrics, section.rows)
        guide, v1, v2 = Guide(inference), V1(inference), V2(inference)
        model, version = "/v2/models/{name}", "/v2/models/{name}/versions/{version}"
        # The first ones are found first.
        handlers: tuple[tuple[str, str, Callable[[Call], Awaitable[Reply]]], ...] = (
            ("POST", "/predict", guide.predict),
            ("GET", "/health", guide.health),
            ("GET", "/healthz", guide.health),
            ("POST", "/v1/models/{name}/predict", v1.predict),
            ("POST", f"{model}/infer", v2.infer),
            ("POST", f"{version}/infer", v2.infer),
            ("GET", "/v1/models", v1.models),
            ("GET", "/v1/models/{name}", v1.model),
            ("GET", "/v2", v2.server),
            ("GET", "/v2/health/live", v2.live),
            ("GET", "/v2/health/ready", v2.ready),
            ("GET", f"{model}/ready", v2.model_ready),
            ("GET", f"{version}/ready", v2.model_ready),
            ("GET", model, v2.model),
            ("GET", version, v2.model),
            ("GET", "/metrics", self._told_figures),
            ("GET", "/openapi.json", _description),
        )
        self.routes = tuple((method, path) for method, path, _ in handlers)
        router = Router(
            [Route(path, Endpoint(path, handle), methods=[method]) for method, path, handle in handlers],
            redirect_slashes=False,
            default=_nothing,
        )
        self._router = router
        self._gate = Gate(self._route, lambda: self._token, section.body_kib * 1024, section.timeout_s, self._metrics)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        scope["app"] = self  # the router then raises what it will not have
        await self._gate(scope, receive, send)

    async def _route(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._router(scope, receive, send)
        except HTTPException as error:  # another method than the path has
            headers = tuple((name.lower().encode(), value.encode()) for name, value in (error.headers or {}).items())
            reply = reply_json({"detail": error.detail}, error.status_code)
            await send_reply(send, Reply(reply.status, reply.body, headers=headers))

    async def keep(self, also: Callable[[], None] = lambda: None) -> None:
        """Take up what changes on the disk, until cancelled; the first look is done before anything is answered.

        Args:
            also: called after each look, for what else may have changed.
        """
        while True:
            await asyncio.to_thread(self.store.scan)
            self._renew_token()
            also()
            await asyncio.sleep(self._section.scan_s)

    def figures(self) -> Iterable[Metric]:
        """Read the figures of /metrics, as they are now."""
        return self._metrics.families()

    def close(self) -> None:
        """Start no more inferences."""
        self._runner.close()

    def _renew_token(self) -> None:
        try:
            self._token = read_token(self._section.token_file)
        except KittiwakeError as error:
            log.error("serve.token_file: %s; the former token stays", error)

    async def _told_figures(self, call: Call) -> Reply:
        return Reply(200, self._metrics.text(), CONTENT_TYPE)


def read_token(path: str) -> str:
    """Read the bearer token.

    Args:
        path: of its file; "" for no token.

    Returns:
        The token; "" for none.

    Raises:
        UsageError: the file cannot be read.
        ConfigError: it is empty, or no ASCII.
    """
    if not path:
        return ""
    token = credentials.secret("token", path, "").partition(b"\n")[0].strip()
    if not token or not token.isascii():
        raise ConfigError(f"serve.token_file: {path} holds no token", "openssl rand -hex 32 makes one")
    return token.decode()


async def _description(call: Call) -> Reply:
    return reply_json(openapi.document())


async def _nothing(scope: Scope, receive: Receive, send: Send) -> None:
    await send_reply(send, reply_json({"detail": "there is nothing here"}, 404))
