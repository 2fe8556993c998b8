"""Random Keras networks as people convert them: `python tests/support/keras_networks.py FOLDER FIRST COUNT`.

Runs by an interpreter with TensorFlow, and knows nothing of the project. Writes FOLDER/SEED.tflite for each seed from
FIRST on, and FOLDER/FIRST.json: of each seed its batch, its ends, its activations (of every fourth they have 16 bits),
whether it is pruned, and its layers.
TensorFlow keeps memory of every network that it made: make many by a process for some of them each.
"""

import json
import logging
import os
import random
import sys
from pathlib import Path

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

L = tf.keras.layers
_SAMPLES = 6
_MOST_ELEMENTS = 900  # of an array that goes on growing


def _activation(rng):
    return rng.choice((None, "relu", "relu", "relu6"))


def _convolution(rng, x):
    size, stride = rng.choice((1, 2, 3)), rng.choice((1, 1, 2))
    padding = rng.choice(("same", "valid")) if min(x.shape[1:3]) >= size else "same"
    return L.Conv2D(
        rng.randint(1, 9),
        size,
        strides=stride,
        padding=padding,
        use_bias=rng.random() < 0.7,
        activation=_activation(rng),
    )(x)


def _dilated(rng, x):
    return L.Conv2D(rng.randint(1, 4), 2, dilation_rate=2, padding="same", activation=_activation(rng))(x)


def _depthwise(rng, x):
    return L.DepthwiseConv2D(
        rng.choice((2, 3)),
        strides=rng.choice((1, 1, 2)),
        padding="same",
        depth_multiplier=rng.choice((1, 1, 2)),
        activation=_activation(rng),
    )(x)


def _separable(rng, x):
    return L.SeparableConv2D(rng.randint(2, 8), 3, padding="same", activation=_activation(rng))(x)


def _transposed(rng, x):
    return L.Conv2DTranspose(rng.randint(1, 5), rng.choice((2, 3)), strides=rng.choice((1, 2)), padding="same")(x)


def _pool(rng, x):
    kind = rng.choice((L.MaxPooling2D, L.AveragePooling2D))
    return kind(rng.choice((2, 3)), strides=rng.choice((1, 2)), padding="same")(x)


def _pair(rng, x):
    kind = rng.choice((L.Add, L.Subtract, L.Multiply, L.Maximum, L.Minimum, L.Concatenate, L.Average))
    return kind()([x, L.Conv2D(x.shape[-1], 1, activation=_activation(rng))(x)])


def _pair_of_halves(rng, x):
    kind = rng.choice((L.Add, L.Subtract, L.Multiply, L.Concatenate, L.Average))
    return kind()([x, L.Conv2D(x.shape[-1], 1, activation=_activation(rng))(x)])


def _pointwise_of_halves(rng, x):
    kinds = (L.ReLU(), L.LeakyReLU(0.2), L.BatchNormalization())
    return rng.choice((*kinds, L.Activation("sigmoid"), L.Activation("tanh"), L.Softmax()))(x)


def _ending_of_halves(rng, x):
    kind = rng.randrange(3)
    if kind == 2:
        return x
    x = (L.Flatten, L.GlobalAveragePooling2D)[kind]()(x)
    for _ in range(rng.randint(1, 2)):
        x = L.Dense(rng.randint(2, 12), activation=_activation(rng), use_bias=rng.random() < 0.8)(x)
    return L.Activation(rng.choice(("softmax", "sigmoid", "linear")))(x)


def _pointwise(rng, x):
    kinds = (
        *(L.ReLU(), L.ReLU(6.0), L.LeakyReLU(0.2), L.ELU(), L.PReLU(shared_axes=[1, 2]), L.BatchNormalization()),
        *(L.Activation("sigmoid"), L.Activation("tanh"), L.Softmax()),
    )
    return rng.choice(kinds)(x)


def _moved(rng, x):
    kinds = [L.ZeroPadding2D(rng.randint(1, 2)), L.Permute((2, 1, 3))]
    sizes = [n * rng.randint(1, 3) for n in x.shape[1:3]]  # by whole factors: others are refused
    kinds.append(L.Resizing(*sizes, interpolation="nearest"))
    if x.shape[0] is not None:  # over an open batch, shapes are stored that do not fit
        kinds.append(L.UpSampling2D(2, interpolation="nearest"))
    if x.shape[1] > 1:
        kinds += [L.Cropping2D(((0, 1), (0, 0))), L.Reshape((x.shape[1] * x.shape[2], 1, x.shape[3]))]
    return rng.choice(kinds)(x)


def _along(rng, x):
    y = L.Reshape((x.shape[1] * x.shape[2], x.shape[3]))(x)
    y = L.Conv1D(rng.randint(2, 6), min(3, y.shape[1]), activation=_activation(rng))(y)
    return L.Reshape((y.shape[1], 1, y.shape[2]))(y)


def _product(rng, x):
    y = L.Reshape((x.shape[1] * x.shape[2], x.shape[3]))(x)
    y = L.Dot(axes=(1, 1))([y, L.Conv1D(rng.randint(2, 5), 1)(y)])
    return L.Reshape((*y.shape[1:], 1))(y)


def _halves(rng, x):
    y = L.Conv2D(4, 1)(x)
    return L.Concatenate()([y[..., 2:], y[..., :2]])


def _ending(rng, x):
    kind = rng.randrange(5)
    if kind == 3 and x.shape[0] is None:
        kind = 0  # a recurrent layer over an open batch makes its first state while it runs
    if kind == 4:
        return x
    if kind == 3:
        steps = next(n for n in (5, 4, 3, 2, 1) if x.shape[1] * x.shape[2] * x.shape[3] % n == 0)
        x = L.Reshape((steps, -1))(x)
        x = L.SimpleRNN(rng.randint(2, 4), unroll=True)(x)
    else:
        x = (L.Flatten, L.GlobalAveragePooling2D, L.GlobalMaxPooling2D)[kind]()(x)
    for _ in range(rng.randint(1, 2)):
        x = L.Dense(rng.randint(2, 12), activation=_activation(rng), use_bias=rng.random() < 0.8)(x)
    return L.Activation(rng.choice(("softmax", "log_softmax", "sigmoid", "linear")))(x)


_STEPS = (
    *(_convolution, _convolution, _dilated, _depthwise, _separable, _transposed, _pool, _pair, _pointwise, _moved),
    *(_along, _product, _halves),
)
# What the converter makes of int16 activations without leaving anything in floats.
_STEPS_OF_HALVES = (
    *(_convolution, _convolution, _depthwise, _separable, _transposed, _pool, _pair_of_halves, _pointwise_of_halves),
    *(_moved, _along, _halves),
)
_SHRINKING = (_convolution, _pool)


def has_halves(seed):
    """Whether a network is converted to int16 activations."""
    return seed % 4 == 3


def network(seed):
    """Make a network.

    Args:
        seed: the same gives the same network.

    Returns:
        The network, and facts: batch ("open" or "fixed"), whether channels are pruned.
    """
    rng = random.Random(seed)
    tf.keras.utils.set_random_seed(seed)
    is_open = rng.random() < 0.5
    shape = (rng.randint(3, 10), rng.randint(3, 10), rng.randint(1, 4))
    inputs = [tf.keras.Input(shape, batch_size=None if is_open else 1) for _ in range(rng.choice((1, 1, 1, 2)))]
    y = inputs[0] if len(inputs) == 1 else L.Add()(inputs)
    outputs = []
    for _ in range(rng.randint(1, 5)):
        step = rng.choice(_STEPS_OF_HALVES if has_halves(seed) else _STEPS)
        is_large = y.shape[1] * y.shape[2] * y.shape[3] >= _MOST_ELEMENTS
        if is_large and step not in _SHRINKING or is_open and step is _dilated:
            step = _convolution  # dilated over an open batch, shapes are stored that do not fit (docs/howto/model.md)
        y = step(rng, y)
    if rng.random() < 0.2:
        outputs.append(L.GlobalAveragePooling2D()(y))
    ending = _ending_of_halves if has_halves(seed) else _ending
    net = tf.keras.Model(inputs, [ending(rng, y), *outputs])
    is_pruned = seed % 8 == 3 if has_halves(seed) else rng.random() < 0.3
    if is_pruned:
        _prune(net, rng, int(has_halves(seed)))
    return net, {"batch": "open" if is_open else "fixed", "pruned": is_pruned}


def _prune(net, rng, first):
    """Leave whole channels without a weight, from the first on; of int16, a layer without any gets no scale."""
    for weight in net.weights:
        value = weight.numpy()
        if value.ndim > 1:
            value[..., first :: rng.randint(2, 3)] = 0
            weight.assign(value)


def convert(net, seed):
    """Convert a network to int8, or to int8 weights and int16 activations.

    Args:
        net: the network.
        seed: of its samples and its ends.

    Returns:
        Content of the .tflite file, and its ends: "int8", "int16" or "float32".
    """
    rng, chance = random.Random(-1 - seed), np.random.default_rng(seed)
    scale = rng.choice((0.1, 1.0, 1.0, 20.0))
    samples = [
        [chance.normal(0, scale, (1, *end.shape[1:])).astype("float32") for end in net.inputs] for _ in range(_SAMPLES)
    ]
    converter = tf.lite.TFLiteConverter.from_keras_model(net)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: iter(samples)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    ends = rng.choice(("int8", "int8", "int8", "float32"))
    if any(isinstance(layer, L.ELU) for layer in net.layers):
        ends = "int8"  # beside an end in floats, its converter leaves an ELU between floats
    if has_halves(seed):
        converter.target_spec.supported_ops = [
            tf.lite.OpsSet.EXPERIMENTAL_TFLITE_BUILTINS_ACTIVATIONS_INT16_WEIGHTS_INT8
        ]
        ends = "int16" if ends == "int8" else ends
    if ends != "float32":
        converter.inference_input_type = converter.inference_output_type = tf.as_dtype(ends)
    return converter.convert(), ends


def main():
    """Make the networks that the command line names."""
    folder, first, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    logging.disable(logging.WARNING)
    tf.get_logger().setLevel("ERROR")
    made = {}
    for seed in range(first, first + count):
        net, facts = network(seed)
        content, ends = convert(net, seed)
        (folder / f"{seed}.tflite").write_bytes(content)
        facts["activations"] = "int16" if has_halves(seed) else "int8"
        made[seed] = {**facts, "ends": ends, "layers": [type(layer).__name__ for layer in net.layers]}
        tf.keras.backend.clear_session()
    (folder / f"{first}.json").write_text(json.dumps(made))


if __name__ == "__main__":
    main()
