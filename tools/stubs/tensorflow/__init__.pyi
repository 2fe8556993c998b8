"""TensorFlow, which no environment of ours has when types are checked: all of it may be anything."""

from typing import Any

def __getattr__(name: str) -> Any: ...
