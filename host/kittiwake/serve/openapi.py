"""The service's description for clients, in OpenAPI's form."""

from __future__ import annotations

import functools
from typing import Any

import kittiwake

_JSON = "application/json"
_TEXT: dict[str, Any] = {"type": "string"}
_NUMBER: dict[str, Any] = {"type": "number"}
_BOOL: dict[str, Any] = {"type": "boolean"}


def _object(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


def _list(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _reference(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


_ANYTHING: dict[str, Any] = {}
_SCHEMAS: dict[str, Any] = {
    "Features": _object(["features"], features=_list(_NUMBER, minItems=1)),
    "Prediction": _object(
        ["anomaly", "confidence", "latency_ms"], anomaly=_BOOL, confidence=_NUMBER, latency_ms=_NUMBER
    ),
    "Health": _object(["status", "model"], status={"type": "string", "enum": ["ok"]}, model=_TEXT),
    "Detail": _object(["detail"], detail=_TEXT, status=_TEXT),
    "Error": _object(["error"], error=_TEXT),
    "Tensor": _object(["name", "datatype", "shape"], name=_TEXT, datatype=_TEXT, shape=_list({"type": "integer"})),
    "Model": _object(
        ["name", "ready"],
        name=_TEXT,
        ready=_BOOL,
        file=_TEXT,
        version=_TEXT,
        description=_TEXT,
        threshold=_NUMBER,
        labels=_list(_TEXT),
        features=_list(_object(["name", "unit"], name=_TEXT, unit=_TEXT)),
        inputs=_list(_reference("Tensor")),
        outputs=_list(_reference("Tensor")),
        problem=_TEXT,
    ),
    "Models": _object(["models"], models=_list(_reference("Model"))),
    "Batch": {
        "oneOf": [
            _object(["instances"], instances=_list(_list(_NUMBER, minItems=1), minItems=1)),
            _object(["inputs"], inputs={"type": "object", "additionalProperties": _ANYTHING}),
        ]
    },
    "Predictions": _object(
        ["model", "version", "outputs", "latency_ms"],
        model=_TEXT,
        version=_TEXT,
        predictions=_list(_object(["anomaly", "confidence"], anomaly=_BOOL, confidence=_NUMBER, label=_TEXT)),
        outputs={"type": "object", "additionalProperties": _ANYTHING},
        latency_ms=_NUMBER,
    ),
    "Server": _object(["name", "version"], name=_TEXT, version=_TEXT, extensions=_list(_TEXT)),
    "Live": _object(["live"], live=_BOOL),
    "Ready": _object(["ready"], ready=_BOOL, name=_TEXT),
    "Metadata": _object(
        ["name", "versions", "platform", "inputs", "outputs"],
        name=_TEXT,
        versions=_list(_TEXT),
        platform=_TEXT,
        inputs=_list(_reference("Tensor")),
        outputs=_list(_reference("Tensor")),
    ),
    "InferRequest": _object(
        ["inputs"],
        id=_TEXT,
        inputs=_list(
            _object(
                ["name", "datatype", "shape", "data"],
                name=_TEXT,
                datatype=_TEXT,
                shape=_list({"type": "integer", "minimum": 0}),
                data=_list(_ANYTHING),
            )
        ),
        outputs=_list(_object(["name"], name=_TEXT)),
    ),
    "InferReply": _object(
        ["model_name", "model_version", "outputs"],
        id=_TEXT,
        model_name=_TEXT,
        model_version=_TEXT,
        outputs=_list(_reference("Tensor")),
    ),
}
# What any request may be answered with: no token, a body that is too slow or too large.
_AT_THE_GATE = {"401": "Detail", "408": "Detail", "413": "Detail"}
# Method, path, what it does, schemas of request and reply ("" for none, "text/plain" for figures), schemas of errors.
_VERSION = "/v2/models/{name}/versions/{version}"
_GUIDE = {"422": "Detail", "500": "Detail", "503": "Detail", "504": "Detail"}
_BY_NAME = {"404": "Detail", **_GUIDE}
_V2 = {"404": "Error", "503": "Error"}
_INFER = {"400": "Error", "413": "Error", "500": "Error", "504": "Error", **_V2}
PATHS: tuple[tuple[str, str, str, str, str, dict[str, str]], ...] = (
    ("POST", "/predict", "Judge one row of features by the default model.", "Features", "Prediction", _GUIDE),
    ("GET", "/health", "Whether the default model answers.", "", "Health", {"503": "Detail"}),
    ("GET", "/healthz", "As /health.", "", "Health", {"503": "Detail"}),
    ("GET", "/v1/models", "List the models.", "", "Models", {}),
    ("GET", "/v1/models/{name}", "Describe a model.", "", "Model", {"404": "Detail"}),
    ("POST", "/v1/models/{name}/predict", "Judge rows, or run on named inputs.", "Batch", "Predictions", _BY_NAME),
    ("GET", "/v2", "The server's metadata.", "", "Server", {}),
    ("GET", "/v2/health/live", "Whether the server lives.", "", "Live", {}),
    ("GET", "/v2/health/ready", "Whether every model answers.", "", "Ready", {"503": "Ready"}),
    ("GET", "/v2/models/{name}", "A model's metadata.", "", "Metadata", _V2),
    ("GET", _VERSION, "The same of a version.", "", "Metadata", _V2),
    ("GET", "/v2/models/{name}/ready", "Whether a model answers.", "", "Ready", _V2),
    ("GET", f"{_VERSION}/ready", "The same of a version.", "", "Ready", _V2),
    ("POST", "/v2/models/{name}/infer", "Run a model.", "InferRequest", "InferReply", _INFER),
    ("POST", f"{_VERSION}/infer", "The same of a version.", "InferRequest", "InferReply", _INFER),
    ("GET", "/metrics", "Figures for Prometheus.", "", "text/plain", {}),
    ("GET", "/openapi.json", "This description.", "", "Description", {}),
)


@functools.cache
def document() -> dict[str, Any]:
    """The description as JSON has it."""
    paths: dict[str, Any] = {}
    for method, path, words, request, reply, errors in PATHS:
        paths.setdefault(path, {})[method.lower()] = _operation(method, path, words, request, reply, errors)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Kittiwake inference service", "version": kittiwake.__version__},
        "paths": paths,
        "components": {
            "schemas": {**_SCHEMAS, "Description": {"type": "object"}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"token": []}],
    }


def _operation(method: str, path: str, words: str, request: str, reply: str, errors: dict[str, str]) -> dict[str, Any]:
    answers = {"200": reply, **_AT_THE_GATE, **errors}
    operation: dict[str, Any] = {
        "operationId": f"{method.lower()}{path.translate(str.maketrans('/.-', '___', '{}'))}",
        "summary": words,
        "responses": {
            code: {"description": _CODES[code], "content": _content(schema)} for code, schema in answers.items()
        },
    }
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    if names:
        operation["parameters"] = [{"name": name, "in": "path", "required": True, "schema": _TEXT} for name in names]
    if request:
        operation["requestBody"] = {"required": True, "content": _content(request)}
    return operation


def _content(schema: str) -> dict[str, Any]:
    return {"text/plain": {"schema": _TEXT}} if schema == "text/plain" else {_JSON: {"schema": _reference(schema)}}


_CODES = {
    "200": "Done.",
    "400": "The request cannot be; the error says what of it.",
    "401": "A bearer token is wanted.",
    "404": "There is no such model or version.",
    "408": "The body did not arrive in time.",
    "413": "The body or its rows are more than are taken.",
    "422": "The request cannot be; the detail says what of it.",
    "500": "The model could not answer.",
    "503": "The model is not loaded, or too many requests wait.",
    "504": "The inference took too long.",
}
