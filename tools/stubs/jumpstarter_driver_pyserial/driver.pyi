from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any

from jumpstarter.driver import Driver

@dataclass(kw_only=True)
class PySerial(Driver):
    url: str
    check_present: bool = ...
    def connect(self) -> AbstractAsyncContextManager[Any]: ...
