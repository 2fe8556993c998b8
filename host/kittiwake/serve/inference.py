"""What every way of asking shares: find the model, run it, and say in which way that failed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from kittiwake.serve.model import InferenceError, Model
from kittiwake.serve.runner import BusyError, Runner, SlowError
from kittiwake.serve.store import ModelStore
from kittiwake.serve.tensors import Array


class Watcher(Protocol):
    """Takes note of inferences."""

    def inferred(self, model: str, seconds: float, rows: int) -> None:
        """An inference was answered."""

    def failed(self, model: str) -> None:
        """One was not."""

    def judged(self, model: str, anomalies: int) -> None:
        """So many rows of it are anomalies."""


class Unanswered(Exception):
    """No answer: with HTTP's status and what to say.

    Args:
        status: of HTTP.
        detail: what is wrong.
    """

    def __init__(self, status: int, detail: str):
        super().__init__(detail)
        self.status, self.detail = status, detail


@dataclass(frozen=True)
class Answer:
    """A model's.

    Args:
        model: that answered.
        outputs: its outputs, in their order.
        latency_ms: the inference's.
    """

    model: Model
    outputs: Sequence[Array]
    latency_ms: float


class Inference:
    """Runs the models of a store.

    Args:
        store: the models.
        runner: who runs them.
        watcher: takes note.
        rows: most of one request.
    """

    def __init__(self, store: ModelStore, runner: Runner, watcher: Watcher, rows: int):
        self.store, self._runner, self._watcher, self._rows = store, runner, watcher, rows

    def model(self, name: str) -> Model:
        """Find a model.

        Args:
            name: its name.

        Returns:
            The one that answers now.

        Raises:
            Unanswered: 404 for a name that is none, 503 for a model that cannot be loaded.
        """
        model = self.store.models.get(name)
        if model is None:
            loads = self.store.loads.get(name)
            if loads is not None and loads.problem:
                raise Unanswered(503, loads.problem)
            raise Unanswered(404, f"there is no model {name!r}")
        return model

    async def run(self, model: Model, feeds: Mapping[str, Array], rows: int) -> Answer:
        """Run a model.

        Args:
            model: what to run.
            feeds: input's name -> tensor.
            rows: that they hold.

        Returns:
            The answer.

        Raises:
            Unanswered: 413 for too many rows, 503 when too many requests wait, 504 when it took too long, 500 when
                the model could not.
        """
        if rows > self._rows:
            raise Unanswered(413, f"there are {rows} rows; at most {self._rows} are taken")
        begin = time.perf_counter()
        try:
            outputs = await self._runner.run(model, feeds, rows)
        except BusyError:
            self._watcher.failed(model.name)
            raise Unanswered(503, "too many requests wait; ask again later") from None
        except SlowError:
            self._watcher.failed(model.name)
            raise Unanswered(504, "the inference took too long") from None
        except InferenceError as error:
            self._watcher.failed(model.name)
            raise Unanswered(500, str(error)) from error
        seconds = time.perf_counter() - begin
        self._watcher.inferred(model.name, seconds, rows)
        return Answer(model, outputs, seconds * 1000)

    def judged(self, model: Model, anomalies: int) -> None:
        """Take note of a verdict.

        Args:
            model: whose.
            anomalies: rows that are.
        """
        self._watcher.judged(model.name, anomalies)
