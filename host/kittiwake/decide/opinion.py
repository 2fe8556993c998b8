"""The verdict that a keyword's message brings along: the bridge has had it heard again, in its place. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from kittiwake.decide.features import NoFeatures
from kittiwake.decide.settings import CONFIRMED, REJECTED
from kittiwake.serve.model import Verdict


def of_keyword(body: Mapping[str, object]) -> tuple[str, Verdict]:
    """Read the second opinion on a wake word.

    Args:
        body: the message.

    Returns:
        (name of the model that heard it again, its verdict); an anomaly is a word that is confirmed.

    Raises:
        NoFeatures: nobody heard it again.
    """
    verdict, score, model = body.get("verdict"), body.get("verdict_score"), body.get("verdict_model")
    if verdict not in (CONFIRMED, REJECTED) or type(score) not in (int, float) or not isinstance(model, str):
        raise NoFeatures(f"nobody has heard it again ({str(verdict)[:16]})")
    return model, Verdict(verdict == CONFIRMED, float(str(score)), str(verdict))
