"""The open inference protocol (KServe's version 2), so that its clients work here: health, metadata, infer.

Tensors come and go as JSON, or behind it as bytes (the binary data extension).
"""

from __future__ import annotations

from typing import Any

import kittiwake
from kittiwake.serve import binary
from kittiwake.serve.exchange import BadJson, Call, Reply, read_object, reply_json
from kittiwake.serve.inference import Answer, Inference, Unanswered
from kittiwake.serve.model import Model
from kittiwake.serve.tensors import Array, BadInput, flatten, to_array
from kittiwake.serve.v1 import rows_of


class V2:
    """The handlers.

    Args:
        inference: what runs models.
    """

    def __init__(self, inference: Inference):
        self._inference = inference

    async def server(self, call: Call) -> Reply:
        """GET /v2."""
        return reply_json({"name": "kittiwake", "version": kittiwake.__version__, "extensions": ["binary_tensor_data"]})

    async def live(self, call: Call) -> Reply:
        """GET /v2/health/live."""
        return reply_json({"live": True})

    async def ready(self, call: Call) -> Reply:
        """GET /v2/health/ready."""
        store = self._inference.store
        is_ready = bool(store.models) and store.models.keys() == store.loads.keys()
        return reply_json({"ready": is_ready}, 200 if is_ready else 503)

    async def model_ready(self, call: Call) -> Reply:
        """GET /v2/models/{name}/ready."""
        try:
            model = self._model(call)
        except Unanswered as error:
            return _error(error.detail, error.status)
        return reply_json({"name": model.name, "ready": True})

    async def model(self, call: Call) -> Reply:
        """GET /v2/models/{name}."""
        try:
            model = self._model(call)
        except Unanswered as error:
            return _error(error.detail, error.status)
        tensors = {
            key: [{"name": spec.name, "datatype": spec.datatype, "shape": list(spec.shape)} for spec in specs]
            for key, specs in (("inputs", model.runtime.inputs), ("outputs", model.runtime.outputs))
        }
        return reply_json(
            {"name": model.name, "versions": [model.version], "platform": model.runtime.platform, **tensors}
        )

    async def infer(self, call: Call) -> Reply:
        """POST /v2/models/{name}/infer."""
        try:
            model = self._model(call)
            header, tail = binary.split(call.body, call.headers)
            body = read_object(header)
            wanted = _wanted(model, body)
            feeds = _feeds(model, body, tail)
            answer = await self._inference.run(model, feeds, rows_of(feeds))
            return _answered(answer, body, wanted)
        except (BadJson, BadInput) as error:
            return _error(str(error), 400)
        except Unanswered as error:
            return _error(error.detail, error.status)
        except ValueError:
            return _error("the model's output has a value that is no finite number", 500)

    def _model(self, call: Call) -> Model:
        model = self._inference.model(call.path["name"])
        version = call.path.get("version")
        if version is not None and version != model.version:
            raise Unanswered(404, f"model {model.name!r} has no version {version!r}; it has {model.version}")
        return model


def _error(detail: str, status: int) -> Reply:
    return reply_json({"error": detail}, status)


def _feeds(model: Model, body: dict[str, Any], tail: bytes) -> dict[str, Array]:
    tensors = body.get("inputs")
    if not isinstance(tensors, list):
        raise BadInput("inputs are wanted as a list of tensors")
    specs = {spec.name: spec for spec in model.runtime.inputs}
    feeds: dict[str, Array] = {}
    at = 0
    for tensor in tensors:
        name, datatype, shape = _head(tensor)
        spec = specs.get(name)
        if spec is None:
            raise BadInput(f"the model has no input {name!r}; it has {', '.join(specs)}")
        if name in feeds:
            raise BadInput(f"input {name!r} comes twice")
        if datatype != spec.datatype:
            raise BadInput(f"input {name!r} is {datatype}; the model takes {spec.datatype}")
        spec.check(shape)
        size = binary.size_of(tensor)
        if size is not None:
            feeds[name] = binary.to_array(tail[at : at + size], size, shape, datatype, name)
            at += size
        else:
            if "data" not in tensor:
                raise BadInput(f"input {name!r} has no data")
            flat, given = flatten(tensor["data"], name)
            if len(given) != 1 and given != shape:
                raise BadInput(f"input {name!r} has data of shape {given} under shape {shape}")
            feeds[name] = to_array(flat, shape, datatype, name)
    if at != len(tail):
        raise BadInput(f"{len(tail)} bytes follow the JSON; the inputs take {at}")
    for name in specs:
        if name not in feeds:
            raise BadInput(f"input {name!r} is missing")
    return feeds


def _head(tensor: object) -> tuple[str, str, list[int]]:
    if not isinstance(tensor, dict):
        raise BadInput("an input is wanted as an object")
    name, datatype, shape = tensor.get("name"), tensor.get("datatype"), tensor.get("shape")
    if not isinstance(name, str) or not isinstance(datatype, str):
        raise BadInput("an input has no name or no datatype")
    if not isinstance(shape, list) or any(type(size) is not int or size < 0 for size in shape):
        raise BadInput(f"input {name!r} has no shape")
    return name, datatype, shape


def _wanted(model: Model, body: dict[str, Any]) -> list[tuple[int, bool]]:
    """The outputs to give: number, and whether as bytes."""
    names = [spec.name for spec in model.runtime.outputs]
    outputs, parameters = body.get("outputs"), body.get("parameters")
    all_binary = isinstance(parameters, dict) and parameters.get("binary_data_output") is True
    if outputs is None:
        return [(number, all_binary) for number in range(len(names))]
    if not isinstance(outputs, list):
        raise BadInput("outputs are wanted as a list")
    wanted = []
    for output in outputs:
        name = output.get("name") if isinstance(output, dict) else None
        if name not in names:
            raise BadInput(f"the model has no output {name!r}; it has {', '.join(names)}")
        own = output.get("parameters")
        is_binary = own.get("binary_data", all_binary) is True if isinstance(own, dict) else all_binary
        wanted.append((names.index(name), is_binary))
    return wanted


def _answered(answer: Answer, body: dict[str, Any], wanted: list[tuple[int, bool]]) -> Reply:
    outputs: list[dict[str, Any]] = []
    tail = b""
    for number, is_binary in wanted:
        spec, values = answer.model.runtime.outputs[number], answer.outputs[number]
        output: dict[str, Any] = {"name": spec.name, "datatype": spec.datatype, "shape": list(values.shape)}
        if is_binary:
            raw = binary.to_bytes(values)
            output["parameters"] = {"binary_data_size": len(raw)}
            tail += raw
        else:
            output["data"] = values.reshape(-1).tolist()
        outputs.append(output)
    value = {"model_name": answer.model.name, "model_version": answer.model.version, "outputs": outputs}
    if isinstance(body.get("id"), str):
        value["id"] = body["id"]
    reply = reply_json(value)
    return binary.join(reply, tail) if any(is_binary for _, is_binary in wanted) else reply
