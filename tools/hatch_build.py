"""Build hook: what a wheel carries besides the packages; an editable install finds the same in the checkout.

Knows places only. hatchling loads it when it builds the project.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelData(BuildHookInterface[BuilderConfig]):
    """Adds the board's main.py, which must not become a top-level module, and the boards, beside the host's package."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Fill in the build data.

        Args:
            version: "standard" or "editable".
            build_data: hatchling's; `force_include` is changed.
        """
        if version == "standard":
            build_data["force_include"]["firmware/main.py"] = "kittiwake/_firmware/main.py"
            for described in Path(self.root).glob("boards/*/board.toml"):
                build_data["force_include"][str(described)] = f"kittiwake/_boards/{described.parent.name}/board.toml"
