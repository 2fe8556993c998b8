"""The documents' site: Sphinx with MyST; the reference is made from the code first (tools/docs/site.py)."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from kittiwake import __version__

project = "Kittiwake"
author = "Kittiwake contributors"
copyright = author
release = version = __version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "tools.docs.site"]
# rooms.md is part of a page.
exclude_patterns = ["generated/rooms.md"]
source_suffix = {".md": "markdown"}
# Colons fence directives; the glossary is a list of terms and what they mean.
myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = f"Kittiwake {release}"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": True}

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
# Single backquotes are code in our docstrings.
default_role = "code"
