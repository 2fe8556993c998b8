"""Run by an interpreter that has TensorFlow: float models in every form, samples, and what the models say of them.

python float_models.py FOLDER
"""

import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tensorflow as tf

folder = sys.argv[1]
layers = tf.keras.layers
tf.keras.utils.set_random_seed(7)
# An open batch and a dilated convolution: of a default conversion no board takes that.
net = tf.keras.Sequential(
    [
        tf.keras.Input((12, 6)),
        layers.Conv1D(8, 3, dilation_rate=2, padding="causal", activation="relu"),
        layers.GlobalAveragePooling1D(),
        layers.Dense(3),
    ]
)
plain = tf.keras.Sequential([tf.keras.Input((12, 6)), layers.Conv1D(8, 3), layers.Flatten(), layers.Dense(3)])
samples = np.random.default_rng(1).normal(size=(150, 12, 6)).astype("float32")
net.save(f"{folder}/net.keras")
net.save(f"{folder}/net.h5")
net.export(f"{folder}/saved", verbose=False)
converter = tf.lite.TFLiteConverter.from_keras_model(plain)
with open(f"{folder}/float.tflite", "wb") as file:
    file.write(converter.convert())
np.save(f"{folder}/x.npy", samples)
np.save(f"{folder}/labels.npy", net(samples).numpy().argmax(axis=1))
np.save(f"{folder}/float_labels.npy", plain(samples).numpy().argmax(axis=1))
