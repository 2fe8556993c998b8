"""From steps to bytes: weights in the order of the kernels, buffers placed, the plan (.kwm) written, its cost told."""
