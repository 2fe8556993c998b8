"""What a compiler owes whoever gives it a damaged model: a refusal with its reasons."""

from kittiwake.model import compiler
from kittiwake.model.read.refusal import ModelRefused


def survives(content: bytes) -> bool:
    """Compile; whatever is wrong must be said by ModelRefused, in lines that name something."""
    try:
        compiler.compile_model(content)
    except ModelRefused as error:
        assert error.reasons and all(error.reasons)
        return False
    return True
