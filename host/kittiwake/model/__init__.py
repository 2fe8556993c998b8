"""From a .tflite file to a plan (.kwm) that the firmware's kernels run, and the check that both give the same bytes.

Steps, each in a module of its own: flatbuffer (read), admit (say what cannot run, all at once), lower (operators to
kernel steps over views), arena (buffers to addresses), layout (weights as a kernel wants them), plan (bytes).
"""
