"""What we use of pytest-embedded, which is not among the tests' packages: it is tried in a folder of its own."""

from typing import Any

class Dut:
    pexpect_proc: Any
    app: Any
    logfile: str
    test_case_name: str
    _q: Any
    _meta: Any
    def __init__(self, **arguments: Any) -> None: ...
    def write(self, s: str | bytes) -> None: ...
    def close(self) -> None: ...
