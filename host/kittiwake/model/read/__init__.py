"""From a .tflite file to a graph in plain Python values, and every reason against compiling it."""
