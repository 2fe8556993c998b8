from typing import Any

class DriverClient:
    children: dict[str, Any]
    def call(self, method: str, *args: Any) -> Any: ...
