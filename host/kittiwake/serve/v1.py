"""Models by name: batches of rows or named inputs, checked against what the model takes; a fault is named with 422."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kittiwake.serve.exchange import BadJson, Call, Reply, read_object, reply_json
from kittiwake.serve.inference import Answer, Inference, Unanswered
from kittiwake.serve.model import InferenceError, Model
from kittiwake.serve.tensors import Array, BadInput, Spec, flatten, to_array


class V1:
    """The handlers.

    Args:
        inference: what runs models.
    """

    def __init__(self, inference: Inference):
        self._inference = inference

    async def models(self, call: Call) -> Reply:
        """GET /v1/models."""
        store = self._inference.store
        names = sorted(store.models.keys() | store.loads.keys())
        return reply_json({"models": [self._described(name) for name in names]})

    async def model(self, call: Call) -> Reply:
        """GET /v1/models/{name}."""
        name = call.path["name"]
        store = self._inference.store
        if name not in store.models and name not in store.loads:
            return reply_json({"detail": f"there is no model {name!r}"}, 404)
        return reply_json(self._described(name))

    async def predict(self, call: Call) -> Reply:
        """POST /v1/models/{name}/predict."""
        try:
            model = self._inference.model(call.path["name"])
            feeds, rows = _feeds(model, read_object(call.body))
            answer = await self._inference.run(model, feeds, rows)
            return reply_json(self._answered(answer))
        except (BadJson, BadInput) as error:
            return reply_json({"detail": str(error)}, 422)
        except Unanswered as error:
            return reply_json({"detail": error.detail}, error.status)
        except ValueError:
            return reply_json({"detail": "the model's output has a value that is no finite number"}, 500)

    def _answered(self, answer: Answer) -> dict[str, Any]:
        model = answer.model
        reply: dict[str, Any] = {"model": model.name, "version": model.version}
        try:
            verdicts = model.verdicts(answer.outputs)
        except InferenceError:
            pass  # not every model judges
        else:
            self._inference.judged(model, sum(verdict.is_anomaly for verdict in verdicts))
            reply["predictions"] = [
                {"anomaly": verdict.is_anomaly, "confidence": verdict.confidence}
                | ({} if verdict.label is None else {"label": verdict.label})
                for verdict in verdicts
            ]
        reply["outputs"] = {
            spec.name: values.tolist() for spec, values in zip(model.runtime.outputs, answer.outputs, strict=True)
        }
        reply["latency_ms"] = round(answer.latency_ms, 2)
        return reply

    def _described(self, name: str) -> dict[str, Any]:
        store = self._inference.store
        model, loads = store.models.get(name), store.loads.get(name)
        reply: dict[str, Any] = {"name": name, "ready": model is not None}
        if model is not None:
            card = model.card.model
            reply |= {
                "file": model.file,
                "version": model.version,
                "description": card.description,
                "threshold": card.threshold,
                "labels": card.labels,
                "features": [{"name": each.name, "unit": each.unit} for each in model.card.features],
                "inputs": [_tensor(spec) for spec in model.runtime.inputs],
                "outputs": [_tensor(spec) for spec in model.runtime.outputs],
            }
        if loads is not None and loads.problem:
            reply["problem"] = loads.problem
        return reply


def _tensor(spec: Spec) -> dict[str, Any]:
    return {"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)}


def _feeds(model: Model, body: dict[str, Any]) -> tuple[dict[str, Array], int]:
    """The model's inputs, and how many rows they hold."""
    unknown = body.keys() - {"instances", "inputs"}
    if unknown or len(body) != 1:
        raise BadInput("either instances (rows of features) or inputs (by name) is wanted, and nothing else")
    if "instances" in body:
        flat, shape = flatten(body["instances"], "instances")
        if len(shape) != 2 or 0 in shape:
            raise BadInput("input 'instances' is wanted as rows of features, such as [[1, 2], [3, 4]]")
        rows = to_array(flat, shape, "FP64", "instances")
        try:
            feeds = model.feeds_of(rows)
        except InferenceError as error:
            raise BadInput(f"input 'instances': {error}") from error
        for spec in model.runtime.inputs:
            spec.check(feeds[spec.name].shape)
        return feeds, shape[0]
    return _named(model, body["inputs"])


def _named(model: Model, inputs: object) -> tuple[dict[str, Array], int]:
    if not isinstance(inputs, dict):
        raise BadInput('inputs are wanted by name: {"NAME": [[1, 2]]}')
    specs = {spec.name: spec for spec in model.runtime.inputs}
    for name in inputs:
        if name not in specs:
            raise BadInput(f"the model has no input {name!r}; it has {', '.join(specs)}")
    feeds: dict[str, Array] = {}
    for name, spec in specs.items():
        if name not in inputs:
            raise BadInput(f"input {name!r} is missing")
        flat, shape = flatten(inputs[name], name)
        spec.check(shape)
        feeds[name] = to_array(flat, shape, spec.datatype, name)
    return feeds, rows_of(feeds)


def rows_of(feeds: dict[str, Array]) -> int:
    """How many rows inputs hold.

    Args:
        feeds: input's name -> tensor.

    Returns:
        Their first size; 1 for scalars alone.

    Raises:
        BadInput: they differ in it, or a tensor is empty.
    """
    sizes = {name: feed.shape[0] for name, feed in feeds.items() if feed.ndim}
    if any(math.prod(np.shape(feed)) == 0 for feed in feeds.values()):
        raise BadInput("an input is empty")
    if len(set(sizes.values())) > 1:
        raise BadInput("inputs differ in rows: " + ", ".join(f"{name!r} has {size}" for name, size in sizes.items()))
    return next(iter(sizes.values()), 1)
