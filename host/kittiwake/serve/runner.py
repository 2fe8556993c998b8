"""Runs models within bounds: so many at a time, so many waiting, each for so long.

A small model runs in the event loop, where the way to a thread and back would cost more than the model does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from kittiwake.serve.model import Model
from kittiwake.serve.tensors import Array

_INLINE_ROWS = 4


class BusyError(Exception):
    """As many requests wait as may."""


class SlowError(Exception):
    """The inference took too long."""


class Runner:
    """Runs models.

    Args:
        threads: that run models.
        queue: requests that may wait for one.
        timeout_s: for an inference, the time that it waits included.
        inline_ms: a model that takes less runs in the event loop.

    Attributes:
        waiting: requests that have a thread or wait for one.
    """

    def __init__(self, threads: int, queue: int, timeout_s: float, inline_ms: float):
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="inference")
        self._most, self._timeout_s, self._inline_ms = threads + queue, timeout_s, inline_ms
        self.waiting = 0

    async def run(self, model: Model, feeds: Mapping[str, Array], rows: int) -> list[Array]:
        """Run a model.

        Args:
            model: what to run.
            feeds: input's name -> tensor.
            rows: that they hold.

        Returns:
            The outputs, in their order.

        Raises:
            BusyError: too many wait.
            SlowError: it took too long.
            InferenceError: the model could not.
        """
        if model.row_ms < self._inline_ms and rows <= _INLINE_ROWS:
            return model.run(feeds)
        if self.waiting >= self._most:
            raise BusyError
        stop = model.runtime.stopper()
        self.waiting += 1
        work = asyncio.get_running_loop().run_in_executor(self._pool, model.run, feeds, stop)
        # It has its thread until it is done, whoever has left meanwhile.
        work.add_done_callback(self._done)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await asyncio.shield(work)
        except TimeoutError:
            stop.stop()
            raise SlowError from None

    def _done(self, work: asyncio.Future[list[Array]]) -> None:
        self.waiting -= 1
        if not work.cancelled():
            work.exception()  # nobody may be left to ask for it

    def close(self) -> None:
        """Let what runs end, and start no more."""
        self._pool.shutdown(wait=False, cancel_futures=True)
