"""Keeps the scorer's process: one question at a time, each answered within its time or not at all."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import sys
from array import array

log = logging.getLogger(__name__)

_START_S = 60.0  # a Raspberry Pi takes seconds to load a runtime and a model
_COMMAND = (sys.executable, "-m", "kittiwake.bridge.confirm.scorer")


class NoScore(Exception):
    """There is no score, and why; one line."""


class Worker:
    """The process; started by the first question, and again after one that it did not answer.

    Args:
        command: what is run, for tests.
    """

    def __init__(self, command: tuple[str, ...] = _COMMAND):
        self._command = command
        self._process: asyncio.subprocess.Process | None = None
        self._is_free = asyncio.Lock()

    async def load(self, model: str, output: int, window: int) -> None:
        """Have a model loaded before it is needed.

        Args:
            model: path of a .tflite file.
            output: which of its outputs is the word's, from 0.
            window: outputs of a streaming model in a mean, 1 to 98.

        Raises:
            NoScore: it cannot be.
        """
        await self.score(model, output, window, array("h"), _START_S)

    async def score(self, model: str, output: int, window: int, samples: array[int], limit_s: float) -> float:
        """Have a second of audio heard.

        Args:
            model: path of a .tflite file.
            output: which of its outputs is the word's, from 0.
            window: outputs of a streaming model in a mean, 1 to 98.
            samples: array('h') of up to a second.
            limit_s: seconds for it, waiting for others included.

        Returns:
            The score, 0 to 1 where the model gives probabilities.

        Raises:
            NoScore: it took longer, the model does not run, or the process died.
        """
        try:
            async with asyncio.timeout(limit_s), self._is_free:
                return await self._ask(model, output, window, samples)
        except TimeoutError:
            raise NoScore(f"no score within {limit_s:g} s") from None

    async def close(self) -> None:
        """End the process. Idempotent."""
        process, self._process = self._process, None
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _ask(self, model: str, output: int, window: int, samples: array[int]) -> float:
        content = array("h", samples)
        if sys.byteorder == "big":
            content.byteswap()
        raw = content.tobytes()
        request = {"model": model, "output": output, "window": window, "bytes": len(raw)}
        is_answered = False
        try:
            if self._process is None:
                pipe = asyncio.subprocess.PIPE
                self._process = await asyncio.create_subprocess_exec(
                    *self._command, stdin=pipe, stdout=pipe, stderr=asyncio.subprocess.DEVNULL, start_new_session=True
                )
            process = self._process
            if process.stdin is None or process.stdout is None:
                raise RuntimeError("the scorer was started without pipes")
            process.stdin.write(json.dumps(request).encode() + b"\n" + raw)
            await process.stdin.drain()
            line = await process.stdout.readline()
            if not line:
                raise NoScore(f"the scorer ended with status {await process.wait()}")
            reply = json.loads(line)
            is_answered = True
        except OSError as error:
            raise NoScore(f"the scorer cannot be asked: {error}") from error
        finally:
            if not is_answered:
                await self.close()  # what it says later must not be taken for the answer to the next question
        if "error" in reply:
            raise NoScore(reply["error"])
        return float(reply["score"])
