"""What is wrong with a setting, in words: from the type and the context of pydantic's error, never from its text."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

_INTEGER, _NUMBER = "should be a valid integer", "should be a valid number"
# Type of the error -> what is said of the setting; {names} are of the error's context.
_WORDS = {
    "extra_forbidden": "no such setting",
    "missing": "is missing",
    "int_type": _INTEGER,
    "int_from_float": _INTEGER,
    "int_parsing": _INTEGER,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "should be a finite number",
    "bool_type": "should be true or false",
    "string_type": "should be a text in quotes",
    "list_type": "should be a list",
    "dict_type": "should be a table",
    "model_type": "should be a table",
    "model_attributes_type": "should be a table",
    "literal_error": "should be {expected}",
    "greater_than": "should be greater than {gt:g}",
    "greater_than_equal": "should be greater than or equal to {ge:g}",
    "less_than": "should be less than {lt:g}",
    "less_than_equal": "should be less than or equal to {le:g}",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "does not have the right form",
    "too_short": "has {actual_length} items, and should have at least {min_length}",
    "too_long": "has {actual_length} items, and should have at most {max_length}",
}


def words(fault: ErrorDetails) -> str:
    """Say what is wrong, in a phrase that follows the setting's name.

    Args:
        fault: one of a ValidationError's `errors()`.

    Returns:
        The phrase; a validator's own where one of ours refused the value.
    """
    context = fault.get("ctx", {})
    if isinstance(context.get("error"), ValueError):
        return str(context["error"])
    if fault["type"] not in _WORDS:
        return f"is refused: {fault['msg']}"
    return _WORDS[fault["type"]].format_map(context)
