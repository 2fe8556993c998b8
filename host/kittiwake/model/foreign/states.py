"""Train a network for states: `python -m kittiwake.model.foreign.states` in a folder with a request.

Request: `epochs`, `seed`; arrays `blocks` (k, samples), `states` (k, numbers from 0) and `trials` (m, samples), real
numbers within ±1. Answer: model.tflite; array `outputs` (m, states), of the int8 model.

The network is three convolutions over time with ever fewer steps, their mean, and a choice.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from . import exchange, floats, int8

MODEL = "model.tflite"
_LAYERS = ((16, 8, 4), (24, 5, 2), (32, 3, 2))  # channels, samples, step
_BATCH = 64
_SHOWN = 400  # blocks that show ranges


def work(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do it."""
    import numpy
    import tensorflow as tf

    logging.disable(logging.WARNING)
    tf.keras.utils.set_random_seed(request["seed"])
    blocks, states = exchange.array("blocks")[:, :, None].astype("float32"), exchange.array("states")
    net = _net(tf, blocks.shape[1], int(states.max()) + 1)
    _train(tf, net, blocks, states, request["epochs"])
    exchange.tell("converting")
    places = numpy.unique(numpy.linspace(0, len(blocks) - 1, _SHOWN).astype(int))
    # A saturated sample may come, so the ranges have to have been seen.
    shown = numpy.concatenate([blocks[places], numpy.clip(blocks[places[:1]] * 1e6, -1, 1)])
    model = floats.with_batch_of_one(tf, lambda x: net(x, training=False), net.inputs[0], net)
    content = int8.convert(model.function, shown)
    with open(MODEL, "wb") as file:
        file.write(content)
    exchange.give("outputs", int8.outputs_of_model(content, exchange.array("trials")[:, :, None].astype("float32")))
    return {}


def _net(tf: Any, samples: int, states: int) -> Any:
    layers = tf.keras.layers
    source = y = tf.keras.Input((samples, 1))
    for channels, length, step in _LAYERS:
        y = layers.Conv1D(channels, length, strides=step, use_bias=False)(y)
        y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    y = layers.Dropout(0.1)(layers.GlobalAveragePooling1D()(y))
    return tf.keras.Model(source, layers.Dense(states, activation="softmax")(y))


def _train(tf: Any, net: Any, blocks: Any, states: Any, epochs: int) -> None:
    import numpy

    counts = numpy.bincount(states)
    weights = {number: len(states) / (len(counts) * count) for number, count in enumerate(counts)}
    rate = tf.keras.optimizers.schedules.CosineDecay(3e-3, max(1, epochs * (len(blocks) // _BATCH)))
    net.compile(tf.keras.optimizers.Adam(rate), loss="sparse_categorical_crossentropy")
    every = max(1, epochs // 5)

    def tell(epoch: int, logs: Mapping[str, float]) -> None:
        if (epoch + 1) % every == 0:
            exchange.tell(f"epoch {epoch + 1} of {epochs}: loss {logs['loss']:.3f}")

    teller = tf.keras.callbacks.LambdaCallback(on_epoch_end=tell)
    net.fit(
        blocks, states, batch_size=_BATCH, epochs=epochs, verbose=0, shuffle=True, class_weight=weights,
        callbacks=[teller],
    )  # fmt: skip


if __name__ == "__main__":
    exchange.serve(work)
