"""Hearing: PCM to features, features to wake words. Pure: no clock, no file, no port; models and kernels are given."""
