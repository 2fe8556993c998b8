"""Train a wake word: `python -m kittiwake.model.foreign.words` in a folder with a request.

Request: `window` (outputs in a mean), `epochs`, `seed`; arrays `clips` (k, frames, 40 features), `is_word` (k) and
`trials` (more clips). Answer: model.tflite, which takes three frames an invoke and keeps its state; arrays
`word_outputs` and `other_outputs` (of the first clips of each kind) and `trial_outputs`, uint8, an output a step.

The network is one convolution over time, three separable ones and a sum over time, about 8,000 multiply-accumulates a
step of 30 ms. Clips say whether a word is in them, not where: a clip counts by its largest outputs.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from . import exchange, int8

if TYPE_CHECKING:
    import numpy

    Array = numpy.ndarray[Any, Any]

MODEL = "model.tflite"
_FEATURES, _STRIDE = 40, 3
_SCALE = 16.0  # features are 0 to 26
_FIRST, _CHANNELS, _WIDTH, _LENGTHS, _LAST = 5, 24, 32, (5, 9, 13), 6
_BATCH = 32
_SHOWN, _SCORED = 40, 150  # clips that show ranges; clips of each kind whose outputs are told


def work(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do it."""
    import tensorflow as tf

    logging.disable(logging.WARNING)
    tf.keras.utils.set_random_seed(request["seed"])
    clips, is_word = exchange.array("clips").astype("float32"), exchange.array("is_word").astype("float32")
    net = _net(tf, clips.shape[1])
    _train(tf, net, clips, is_word, request["window"], request["epochs"])
    exchange.tell("converting")
    content = _converted(tf, net, clips)
    with open(MODEL, "wb") as file:
        file.write(content)
    words, others = clips[is_word == 1][:_SCORED], clips[is_word == 0][:_SCORED]
    exchange.give("word_outputs", _streamed(tf, content, words))
    exchange.give("other_outputs", _streamed(tf, content, others))
    exchange.give("trial_outputs", _streamed(tf, content, exchange.array("trials").astype("float32")))
    return {}


def _net(tf: Any, frames: int) -> Any:
    layers = tf.keras.layers
    source = tf.keras.Input((frames, _FEATURES))
    y = layers.Rescaling(1 / _SCALE)(source)
    y = layers.Conv1D(_CHANNELS, _FIRST, strides=_STRIDE, use_bias=False)(y)
    y = layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y))
    for length in _LENGTHS:
        y = layers.DepthwiseConv1D(length, use_bias=False)(y)
        y = layers.Conv1D(_WIDTH, 1, use_bias=False)(y)
        y = layers.Dropout(0.1)(layers.ReLU()(layers.BatchNormalization(momentum=0.9)(y)))
    return tf.keras.Model(source, layers.Conv1D(1, _LAST)(y))


def _train(tf: Any, net: Any, clips: Array, is_word: Array, window: int, epochs: int) -> None:
    """Fit: of a word's clip the largest outputs have to be high, of any other all have to be low."""
    words, others = float(is_word.sum()), float((1 - is_word).sum())

    def loss(target: Any, logits: Any) -> Any:
        logits = logits[:, :, 0]
        largest = tf.reduce_mean(tf.math.top_k(logits, window)[0], axis=1)
        target = tf.reshape(target, [-1])
        heard = target * tf.nn.softplus(-largest) * (words + others) / (2 * words)
        quiet = tf.nn.softplus(largest) + tf.reduce_mean(tf.nn.softplus(logits), axis=1)
        return heard + (1 - target) * quiet * (words + others) / (2 * others)

    rate = tf.keras.optimizers.schedules.CosineDecay(2e-3, max(1, epochs * (len(clips) // _BATCH)))
    net.compile(tf.keras.optimizers.Adam(rate), loss=loss)
    every = max(1, epochs // 5)

    def tell(epoch: int, logs: Mapping[str, float]) -> None:
        if (epoch + 1) % every == 0:
            exchange.tell(f"epoch {epoch + 1} of {epochs}: loss {logs['loss']:.3f}")

    teller = tf.keras.callbacks.LambdaCallback(on_epoch_end=tell)
    net.fit(clips, is_word, batch_size=_BATCH, epochs=epochs, verbose=0, callbacks=[teller])


def _layers(net: Any) -> list[tuple[Array, Array]]:
    """Weights and biases in order, normalisation folded in."""
    import numpy

    out: list[list[Array]] = []
    for layer in net.layers:
        weights = layer.get_weights()
        if "normalization" in layer.name.lower():
            gamma, beta, mean, variance = weights
            factor = gamma / numpy.sqrt(variance + layer.epsilon)
            out[-1] = [out[-1][0] * factor, beta - mean * factor]
        elif weights:
            out.append([weights[0], weights[1] if len(weights) > 1 else numpy.zeros(weights[0].shape[-1], "float32")])
    out[0][0] = out[0][0] / _SCALE
    return [(kernel.astype("float32"), bias.astype("float32")) for kernel, bias in out]


def _streaming(tf: Any, net: Any) -> Any:
    """The same network over three frames a call, keeping the rows that its convolutions look back on."""
    layers = _layers(net)
    stream = tf.Module()
    widths = [_CHANNELS, *[_WIDTH] * (len(_LENGTHS) - 1)]
    kept = [(_FIRST - _STRIDE, _FEATURES), *[(n - 1, w) for n, w in zip(_LENGTHS, widths, strict=True)]]
    stream.states = [
        tf.Variable(tf.zeros([1, rows, 1, channels]), trainable=False)
        for rows, channels in [*kept, (_LAST - 1, _WIDTH)]
    ]

    def with_kept(state: Any, x: Any) -> Any:
        longer = tf.concat([state, x], 1)
        state.assign(longer[:, -state.shape[1] :])
        return longer

    def step(x: Any) -> Any:
        kernel, bias = layers[0]
        x = with_kept(stream.states[0], tf.reshape(x, [1, _STRIDE, 1, _FEATURES]))
        x = tf.nn.relu(tf.nn.conv2d(x, kernel[:, None], [1, _STRIDE, 1, 1], "VALID") + bias)
        for number in range(len(_LENGTHS)):
            (across, _), (kernel, bias) = layers[1 + 2 * number], layers[2 + 2 * number]
            x = with_kept(stream.states[1 + number], x)
            x = tf.nn.depthwise_conv2d(x, across.reshape(across.shape[0], 1, -1, 1), [1, 1, 1, 1], "VALID")
            x = tf.nn.relu(tf.nn.conv2d(x, kernel[:, None], 1, "VALID") + bias)
        kernel, bias = layers[-1]
        x = tf.reshape(with_kept(stream.states[-1], x), [1, -1])
        return tf.sigmoid(tf.matmul(x, kernel.reshape(-1, 1)) + bias)

    stream.step = tf.function(step, input_signature=[tf.TensorSpec([1, _STRIDE, _FEATURES], tf.float32)])
    return stream


def _converted(tf: Any, net: Any, clips: Array) -> bytes:
    stream = _streaming(tf, net)
    tf.saved_model.save(stream, "stream", signatures=stream.step)
    converter = tf.lite.TFLiteConverter.from_saved_model("stream")
    places = range(0, len(clips), max(1, len(clips) // _SHOWN))
    int8.settle(converter, lambda: ([step] for place in places for step in _steps(clips[place])))
    converter._experimental_variable_quantization = True  # else its state stays in floats
    converter.inference_output_type = tf.uint8
    content: bytes = converter.convert()
    return content


def _steps(clip: Array) -> Iterator[Array]:
    for start in range(0, len(clip) - _STRIDE + 1, _STRIDE):
        yield clip[None, start : start + _STRIDE]


def _streamed(tf: Any, content: bytes, clips: Array) -> Array:
    """Outputs, a row a clip: each begins with a state as it is at the start."""
    import numpy

    rows = []
    for clip in clips:
        interpreter = tf.lite.Interpreter(model_content=content)
        interpreter.allocate_tensors()
        (source,), (result,) = interpreter.get_input_details(), interpreter.get_output_details()
        row = []
        for step in _steps(clip):
            interpreter.set_tensor(source["index"], int8.quantised(step, source))
            interpreter.invoke()
            row.append(int(interpreter.get_tensor(result["index"])[0, 0]))
        rows.append(row)
    return numpy.array(rows, numpy.uint8)


if __name__ == "__main__":
    exchange.serve(work)
