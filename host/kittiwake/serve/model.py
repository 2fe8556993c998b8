"""A model that is loaded: its tensors, its card, and what its answer means."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.serve import card as cards
from kittiwake.serve.drift import Drift
from kittiwake.serve.runtimes import OnnxRuntime, Runtime, Stop, TfliteRuntime
from kittiwake.serve.tensors import DTYPES, Array, Spec

SUFFIXES = (".onnx", ".tflite")
_WARM_UPS, _WARM_UP_S = 8, 0.05


class InferenceError(Exception):
    """The model could not answer."""


@dataclass(frozen=True)
class Verdict:
    """What a model says of a row.

    Args:
        is_anomaly: the probability is above the card's threshold.
        confidence: the anomaly's probability.
        label: of the most probable column; None where the card has no labels.
    """

    is_anomaly: bool
    confidence: float
    label: str | None


class Model:
    """A model that is loaded. Any number of threads may use it.

    Args:
        path: of the file; its card stands beside it, NAME.toml.
        threads: of one inference.

    Attributes:
        name: the file's name without its suffix.
        file: the file's name.
        version: the first 12 hexadecimal digits of the SHA-256 of the file's bytes and the card's.
        card: its card.
        runtime: the library that runs it.
        row_ms: what an inference took when it was loaded; 0 where it takes no row of zeros.
        drift: how its features compare with training.

    Raises:
        KittiwakeError: the file or the card cannot be read, or the library refuses the model.
    """

    def __init__(self, path: Path, threads: int = 1):
        self.name, self.file = path.stem, path.name
        self.card, raw_card = cards.read(path.with_suffix(".toml"))
        try:
            content = path.read_bytes()
        except OSError as error:
            raise KittiwakeError(f"{path} cannot be read: {error.strerror}") from error
        digest = hashlib.sha256(content)
        if raw_card:
            digest.update(b"\0" + raw_card)
        self.version = digest.hexdigest()[:12]
        try:
            self.runtime: Runtime = (OnnxRuntime if path.suffix == ".onnx" else TfliteRuntime)(content, threads)
        except ImportError as error:
            raise KittiwakeError(f"{path.name}: {error}", "pip install 'kittiwake[serve]'") from error
        except KittiwakeError:
            raise
        except Exception as error:  # the libraries have no common root for what they raise
            first = str(error).partition("\n")[0]
            raise KittiwakeError(f"{path.name} cannot be loaded: {first}", "the former model stays") from error
        self.drift = Drift(self.card.features)
        self._probability = self._probability_output()
        self._offset = np.array([feature.offset for feature in self.card.features])
        self._scale = np.array([feature.scale for feature in self.card.features])
        self.row_ms = self._warm_up()

    def feeds_of(self, rows: Sequence[Sequence[float]] | Array) -> dict[str, Array]:
        """Turn rows of features into the model's inputs, scaled as the card says; drift takes note of them.

        Args:
            rows: each as many finite numbers.

        Returns:
            Input's name -> tensor.

        Raises:
            InferenceError: the model takes no such rows.
        """
        values = np.asarray(rows, dtype=np.float64)
        features = self.card.features
        if features:
            if values.shape[1] != len(features):
                raise InferenceError(f"there are {values.shape[1]} features; the model's card has {len(features)}")
            self.drift.take(values)
            if self.card.is_scaled:
                values = (values - self._offset) / self._scale
        try:
            return self.runtime.features(values)
        except ValueError as error:
            raise InferenceError(str(error)) from error

    def run(self, feeds: Mapping[str, Array], stop: Stop | None = None) -> list[Array]:
        """Run the model.

        Args:
            feeds: input's name -> tensor.
            stop: from the runtime's `stopper`.

        Returns:
            The outputs, in their order.

        Raises:
            InferenceError: the library could not.
        """
        try:
            return self.runtime.run(feeds, stop)
        except Exception as error:  # the libraries have no common root for what they raise
            raise InferenceError(str(error).partition("\n")[0]) from error

    def verdicts(self, outputs: Sequence[Array]) -> list[Verdict]:
        """Say what outputs mean.

        Args:
            outputs: of `run`.

        Returns:
            A verdict for each row.

        Raises:
            InferenceError: there is no output of probabilities, or it has no such column.
        """
        number = self._probability
        if number is None:
            raise InferenceError("the model has no output of probabilities")
        values = outputs[number]
        if isinstance(self.runtime, TfliteRuntime):
            values = self.runtime.fractions(number, values)
        columns = values.reshape(len(values), -1) if values.ndim != 1 else values.reshape(-1, 1)
        # One column is the anomaly's own.
        positive = 0 if columns.shape[1] == 1 else self.card.model.positive
        if positive >= columns.shape[1]:
            raise InferenceError(f"the model gives {columns.shape[1]} probabilities; the card wants number {positive}")
        threshold, labels = self.card.model.threshold, self.card.model.labels
        verdicts = []
        for row in columns.tolist():
            best = row.index(max(row)) if len(row) > 1 else int(row[0] > threshold)
            verdicts.append(
                Verdict(row[positive] > threshold, row[positive], labels[best] if best < len(labels) else None)
            )
        return verdicts

    def _probability_output(self) -> int | None:
        outputs, wanted = self.runtime.outputs, self.card.model.output
        if wanted:
            names = [spec.name for spec in outputs]
            if wanted not in names:
                raise ConfigError(f"{self.name}.toml: the model has no output {wanted!r}", f"it has {', '.join(names)}")
            return names.index(wanted)
        fractions = [
            number
            for number, spec in enumerate(outputs)
            if DTYPES[spec.datatype].kind == "f" or isinstance(self.runtime, TfliteRuntime)
        ]
        return fractions[-1] if fractions else None

    def _warm_up(self) -> float:
        feeds = {spec.name: _zeros(spec) for spec in self.runtime.inputs}
        best, end = float("inf"), time.perf_counter() + _WARM_UP_S
        try:
            for number in range(_WARM_UPS):
                if number > 1 and time.perf_counter() > end:
                    break  # the first run makes the library's buffers; one more says what it takes
                begin = time.perf_counter()
                self.runtime.run(feeds)
                best = min(best, time.perf_counter() - begin)
        except Exception:  # noqa: BLE001  # a model that takes no zeros is still one: it gets threads of its own
            return float("inf")
        return best * 1000


def _zeros(spec: Spec) -> Array:
    shape = tuple(1 if size == -1 else size for size in spec.shape)
    if spec.datatype == "BYTES":
        return np.full(shape, "", dtype=object)
    return np.zeros(shape, DTYPES[spec.datatype])
