"""The guide's sample of an inference service, written anew from its contract, beside which ours is measured.

As such samples are: FastAPI, one process, the model loaded once from MODEL_PATH, an error of inference told as status
500. The handler runs in the event loop, which for a small model is the faster of the two ways that FastAPI has.
"""

from __future__ import annotations

import os
import time

import numpy as np
import onnxruntime
from fastapi import FastAPI, HTTPException
from pydantic import BaseModel

MODEL_PATH = os.environ["MODEL_PATH"]


class Features(BaseModel):
    """A request."""

    features: list[float]


class Prediction(BaseModel):
    """A reply."""

    anomaly: bool
    confidence: float
    latency_ms: float


app = FastAPI()
session = onnxruntime.InferenceSession(MODEL_PATH, providers=["CPUExecutionProvider"])
name = session.get_inputs()[0].name


@app.post("/predict")
async def predict(request: Features) -> Prediction:
    """Judge one row."""
    begin = time.perf_counter()
    try:
        outputs = session.run(None, {name: np.array([request.features], dtype=np.float32)})
        probability = float(outputs[1][0][1])
    except Exception as error:
        raise HTTPException(500, str(error)) from error
    return Prediction(
        anomaly=probability > 0.5,
        confidence=round(probability, 4),
        latency_ms=round((time.perf_counter() - begin) * 1000, 2),
    )


@app.get("/health")
async def health() -> dict[str, str]:
    """Say that the service is there."""
    return {"status": "ok", "model": os.path.basename(MODEL_PATH)}
