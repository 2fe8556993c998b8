"""Networks whose weights have four bits, two to a byte in the file."""

import numpy as np
from tflite_micro.tensorflow.lite.micro.python import schema_py_generated as schema

from tests.support.tflite_net import Net


class PackedNet(Net):
    """Layers whose weights have four bits."""

    def weights(self, shape, channels, axis, per_channel, wild):
        # TFLite Micro takes dense layers of four bits with one scale alone.
        index, scales = super().weights(shape, channels, axis, per_channel and len(shape) == 4, wild)
        values = [self.rng.randint(-8, 7) for _ in range(int(np.prod(shape)))]
        halves = [value & 15 for value in values] + [0] * (len(values) % 2)
        tensor = self.graph.tensors[index]
        tensor.type = schema.TensorType.INT4
        packed = [low | high << 4 for low, high in zip(halves[::2], halves[1::2], strict=True)]
        self.model.buffers[tensor.buffer].data = np.array(packed, np.uint8)
        return index, scales
