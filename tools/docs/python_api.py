"""Reference page of the Python API: what others may import, told by the modules' own docstrings (Sphinx's autodoc)."""

from __future__ import annotations

from tools.docs import markdown

# What others may import. All else may change in any version.
PUBLIC = {
    "kittiwake.errors": "Errors and exit codes",
    "kittiwake.target": "Where firmware runs",
    "kittiwake.pytest_plugin": "The pytest plugin",
    "kittiwake.hil.board": "A board under test",
    "kittiwake.hil.instruments": "Instruments beside a board",
    "kittiwake.hil.pins": "Pins of a board",
    "kittiwake.target.power": "Power switches",
    "kittiwake.runs.detect": "A column through the firmware's detectors",
    "kittiwake.publish.publisher": "Records into messages",
    "kittiwake.history.asking": "A history in a database",
    "kittiwake.journal.reading": "A journal's image",
    "kittiwake.reference.zscore": "Reference: z-score",
    "kittiwake.reference.drift": "Reference: drift",
    "kittiwake.reference.novelty": "Reference: novelty",
    "kittiwake.reference.baseline": "Reference: baseline",
    "kittiwake_node.link.record": "The codec: records",
    "kittiwake_node.link.anomaly": "The codec: anomalies",
    "kittiwake_node.link.payload": "The codec: other payloads",
    "kittiwake_node.link.frame": "The codec: frames",
    "kittiwake_node.link.gateway_session": "The codec: the gateway's end of a link",
}


def page() -> str:
    """The whole page in Markdown."""
    parts = [markdown.MADE, "# Python API\n", "What others may import. All else may change in any version.\n"]
    for module, title in PUBLIC.items():
        parts.append(f"## {title}\n\n```{{eval-rst}}\n.. automodule:: {module}\n```\n")
    return "\n".join(parts)
