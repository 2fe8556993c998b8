"""The application onto a board that runs MicroPython: what is needed, into a slot of its own, verified, switched to."""
