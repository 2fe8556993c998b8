"""Boards as data: what is on them, how they are flashed, what they load."""
