"""The kinds of steps of int16 activations: imported for a plan that has them, so that names and heap of others stay.

Must not know plans; network.py has the kinds before these.
"""

# By a step's kind: the stage of the kernels, and its function.
ENTRIES = (
    ("conv16", "conv16"),
    ("conv16", "depthwise16"),
    ("pointwise16", "add16"),
    ("pointwise16", "mul16"),
    ("pointwise16", "rescale16"),
    ("pool16", "pool16"),
    ("pool16", "mean16"),
    ("curve16", "curve16"),
    ("curve16", "softmax16"),
    ("floats16", "quantise16"),
    ("floats16", "widen16"),
)
