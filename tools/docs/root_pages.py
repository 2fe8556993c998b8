"""Pages of the site that stand at the root of the repository; references are made to hold where the site has them."""

from __future__ import annotations

import re
from pathlib import Path

from tools.docs import markdown

_ROOT = Path(__file__).resolve().parents[2]
_REFERENCE = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")
# File at the root -> page of the site; what refers to the file refers to the page there.
PAGES = {
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "CHANGELOG.md": "changelog.md",
    "examples/README.md": "examples.md",
    "examples/hil/README.md": "example-hil.md",
}


def pages() -> dict[str, str]:
    """Name of a page, which lies in a folder beside the site's own -> its Markdown."""
    return {page: markdown.MADE + "\n" + _moved(_ROOT / name) for name, page in PAGES.items()}


def _moved(path: Path) -> str:
    def reference(match: re.Match[str]) -> str:
        target, mark, anchor = match[1].partition("#")
        place = (path.parent / target).resolve().relative_to(_ROOT).as_posix()
        if place in PAGES:
            moved = PAGES[place]
        elif place.startswith("docs/"):
            moved = f"../{place.removeprefix('docs/')}"
        else:
            moved = f"../../{place}"
        return f"]({moved}{mark}{anchor})"

    return _REFERENCE.sub(reference, path.read_text(encoding="utf-8"))
