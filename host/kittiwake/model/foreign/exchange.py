"""How a program of this folder gets its request and gives its answer: JSON and arrays in one folder.

Knows no network and no library but numpy.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy

REQUEST, ANSWER = "request.json", "answer.json"
# What begins the lines of output that are progress: converters print as they like.
PROGRESS = "progress: "


class Impossible(Exception):
    """What was asked cannot be done.

    Args:
        reason: one line for the user.
        mend: one line, what to do about it.
    """

    def __init__(self, reason: str, mend: str = ""):
        super().__init__(reason)
        self.reason = reason
        self.mend = mend


def serve(work: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
    """Do what the request in this folder asks, and leave the answer there.

    Args:
        work: called with the request, gives the answer; what it raises becomes the answer's `error` and `mend`.
    """
    # Read by TensorFlow when it is imported: silence about this computer's processor, and no search for a GPU.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("CUDA_VISIBLE_DEVICES", "-1")
    with open(REQUEST, encoding="utf-8") as file:
        request = json.load(file)
    answer: Mapping[str, Any]
    try:
        answer = work(request)
    except Impossible as error:
        answer = {"error": error.reason, "mend": error.mend}
    except ImportError as error:
        answer = {"error": f"{error.name} is not in this interpreter", "missing": error.name}
    except Exception as error:  # noqa: BLE001 - converters raise whatever they like; the first line says what
        lines = [line for line in str(error).splitlines() if line.strip()]
        answer = {"error": f"{type(error).__name__}: {lines[0].strip() if lines else 'no reason given'}"}
    with open(ANSWER, "w", encoding="utf-8") as file:
        json.dump(answer, file)


def tell(text: str) -> None:
    """Print a line of progress."""
    print(PROGRESS + text, flush=True)


def array(name: str) -> numpy.ndarray[Any, Any]:
    """Load an array of the request."""
    import numpy

    loaded: numpy.ndarray[Any, Any] = numpy.load(f"{name}.npy", allow_pickle=False)
    return loaded


def give(name: str, value: Any) -> None:
    """Save an array of the answer."""
    import numpy

    numpy.save(f"{name}.npy", numpy.asarray(value))
