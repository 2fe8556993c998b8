"""From a .tflite file to a plan (.kwm) that the firmware's kernels run, and the check that both give the same bytes.

In order: `read` (the file, and all that cannot run, at once), `lower` (operators to kernel calls over views; begin with
lowering.py), `emit` (buffers to addresses, and the bytes). compiler.py is all of it in one call; `run` runs plans on
targets and models by the reference.
"""

# What strips may add to an invoke's instructions where nobody says otherwise. Here, since the command line tells it
# without a compiler.
SLOWER_PERCENT = 10.0
