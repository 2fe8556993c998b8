"""Build hook: what a wheel carries besides the packages; an editable install finds the same in the checkout.

Knows places only. hatchling loads it when it builds the project.
"""

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class WheelData(BuildHookInterface):
    """Adds the board's main.py, which must not become a top-level module, beside the package of the host."""

    def initialize(self, version: str, build_data: dict) -> None:
        """Fill in the build data.

        Args:
            version: "standard" or "editable".
            build_data: hatchling's; `force_include` is changed.
        """
        if version == "standard":
            build_data["force_include"]["firmware/main.py"] = "kittiwake/_firmware/main.py"
