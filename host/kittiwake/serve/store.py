"""The folder of models: what is loaded of it, kept in step with its files.

Changes are seen by each file's inode, size and time. A file is read once for each change, so that one that cannot be
loaded is complained of once. Knows no HTTP.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from kittiwake.errors import KittiwakeError, UsageError
from kittiwake.observe.events import event
from kittiwake.serve.model import SUFFIXES, Model

log = logging.getLogger(__name__)

_Signature = tuple[tuple[int, int, int] | None, ...]
MODELS_LIMIT = 64


@dataclass
class Loads:
    """What became of a name's files.

    Attributes:
        signature: of the files that were looked at last.
        done: times that they were loaded.
        failed: times that they could not be.
        problem: why the newest file is not what answers, or "".
    """

    signature: _Signature = ()
    done: int = 0
    failed: int = 0
    problem: str = ""


@dataclass(frozen=True)
class _Snapshot:
    models: Mapping[str, Model] = field(default_factory=dict)
    loads: Mapping[str, Loads] = field(default_factory=dict)


class ModelStore:
    """Models of a folder. `scan` runs on one thread at a time; all else on any.

    Args:
        folder: of the models.
        default: name of the model that the guide's paths mean; "" for the only one.
        threads: of one inference.

    Raises:
        UsageError: there is no such folder.
    """

    def __init__(self, folder: Path, default: str = "", threads: int = 1):
        if not folder.is_dir():
            raise UsageError(f"{folder} is no folder", "name a folder with .onnx or .tflite models")
        self._folder, self._default, self._threads = folder, default, threads
        self._now = _Snapshot()
        self._complaint = ""

    @property
    def models(self) -> Mapping[str, Model]:
        """Name -> model, of those that can answer."""
        return self._now.models

    @property
    def loads(self) -> Mapping[str, Loads]:
        """Name -> what became of its files."""
        return self._now.loads

    @property
    def default(self) -> Model | None:
        """The model behind the guide's paths; None when it is not loaded, or several could be meant."""
        models = self._now.models
        if self._default:
            return models.get(self._default)
        return next(iter(models.values())) if len(models) == 1 else None

    @property
    def default_problem(self) -> str:
        """Why there is no default model."""
        if self._default:
            loads = self._now.loads.get(self._default)
            return loads.problem if loads and loads.problem else f"there is no model {self._default!r}"
        if not self._now.models:
            return next((each.problem for each in self._now.loads.values() if each.problem), "there is no model")
        return f"serve.default names none of {', '.join(sorted(self._now.models))}"

    def scan(self) -> None:
        """Take up what has changed in the folder; a model that cannot be loaded leaves the former one in place."""
        try:
            paths = sorted(path for path in self._folder.iterdir() if path.suffix in SUFFIXES)
        except OSError as error:
            self._complain(f"{self._folder} cannot be read: {error.strerror}; its models stay as they are")
            return
        by_name: dict[str, Path] = {}
        for path in paths:
            if path.stem in by_name:
                self._complain(f"{by_name[path.stem].name} and {path.name} have one name; the first one answers")
            elif len(by_name) == MODELS_LIMIT:
                self._complain(f"more than {MODELS_LIMIT} models; {path.name} is left out")
            else:
                by_name[path.stem] = path
        models: dict[str, Model] = {}
        loads: dict[str, Loads] = {}
        for name, path in by_name.items():
            former = self._now.models.get(name)
            known = loads[name] = self._now.loads.get(name, Loads())
            signature = (_signature(path), _signature(path.with_suffix(".toml")))
            model = former if signature == known.signature else self._load(path, known, former)
            known.signature = signature
            if model is not None:
                models[name] = model
        for name in sorted(self._now.models.keys() - models.keys()):
            log.info("serve: model %s is gone", name, extra=event("model.gone"))
        self._now = _Snapshot(models, loads)

    def _load(self, path: Path, known: Loads, former: Model | None) -> Model | None:
        try:
            model = Model(path, self._threads)
        except KittiwakeError as error:
            known.failed += 1
            known.problem = str(error)
            log.error(
                "serve: %s; %s answers on",
                error,
                f"version {former.version}" if former else "nothing",
                extra=event("model.refused"),
            )
            return former
        known.done += 1
        known.problem = ""
        if former is not None and former.version == model.version:
            return former
        log.info(
            "serve: %s is loaded, version %s, %.3f ms an inference",
            path.name,
            model.version,
            model.row_ms,
            extra=event("model.loaded"),
        )
        return model

    def _complain(self, text: str) -> None:
        if text != self._complaint:
            log.error("serve: %s", text)
        self._complaint = text


def _signature(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
