"""Tests over several processes of pytest (pytest-xdist): who runs what, and how it is told."""
