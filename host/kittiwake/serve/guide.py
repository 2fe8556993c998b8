"""The guide's contract: POST /predict and GET /health for one model, and what a probe asks."""

from __future__ import annotations

import math

from kittiwake.serve.exchange import BadJson, Call, Reply, read_object, reply_json
from kittiwake.serve.inference import Inference, Unanswered
from kittiwake.serve.model import InferenceError

_NUMBERS = {int, float}


class Guide:
    """The handlers.

    Args:
        inference: what runs models.
    """

    def __init__(self, inference: Inference):
        self._inference = inference

    async def predict(self, call: Call) -> Reply:
        """POST /predict."""
        try:
            features = read_object(call.body).get("features")
        except BadJson as error:
            return reply_json({"detail": str(error)}, 422)
        problem = _problem(features)
        if problem or not isinstance(features, list):
            return reply_json({"detail": problem}, 422)
        store = self._inference.store
        model = store.default
        if model is None:
            return reply_json({"detail": store.default_problem}, 503)
        try:
            answer = await self._inference.run(model, model.feeds_of([features]), 1)
            verdict = model.verdicts(answer.outputs)[0]
            if not math.isfinite(verdict.confidence):
                raise InferenceError("the model's probability is no finite number")
        except Unanswered as error:
            return reply_json({"detail": error.detail}, error.status)
        except InferenceError as error:
            return reply_json({"detail": str(error)}, 500)
        self._inference.judged(model, int(verdict.is_anomaly))
        return reply_json(
            {
                "anomaly": verdict.is_anomaly,
                "confidence": round(verdict.confidence, 4),
                "latency_ms": round(answer.latency_ms, 2),
            }
        )

    async def health(self, call: Call) -> Reply:
        """GET /health, /healthz."""
        store = self._inference.store
        model = store.default
        if model is None:
            return reply_json({"status": "unavailable", "detail": store.default_problem}, 503)
        return reply_json({"status": "ok", "model": model.file})


def _problem(features: object) -> str:
    """What is wrong with the features, or ""."""
    if not isinstance(features, list) or not features:
        return "features: a list of numbers is wanted"
    if not set(map(type, features)) <= _NUMBERS:
        number = next(number for number, each in enumerate(features) if type(each) not in _NUMBERS)
        return f"features[{number}]: a number is wanted"
    try:
        if math.isfinite(math.fsum(map(abs, features))):
            return ""
    except (OverflowError, ValueError):
        pass
    return "features: a number is too large"
