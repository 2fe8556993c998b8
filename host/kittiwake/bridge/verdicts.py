"""Verdicts on one device's keywords: which audio belongs to them, what is asked, and what is acknowledged meanwhile.

It knows records and the worker that scores audio; neither session nor broker. While a keyword waits for its verdict the
audio before it is not acknowledged: after a restart of the bridge the device sends both again, and the message is the
same once more.
"""

from __future__ import annotations

import logging
import os
import time
from array import array
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypedDict

from kittiwake.bridge.confirm.audio import Audio
from kittiwake.bridge.confirm.worker import NoScore, Worker
from kittiwake.decide.settings import CONFIRMED, REJECTED, UNCHECKED, HearSection, RuleSection
from kittiwake_node.errors import FrameError
from kittiwake_node.link import payload
from kittiwake_node.link import record as rec

log = logging.getLogger(__name__)

# Audio and its keyword are 37 records. A device that may not have as many on the way would wait for ever.
_LEAST_WINDOW = 64
# Audio of so many channels, and so many keywords under way, are kept of one device: what it makes up costs nobody else.
_CHANNELS_LIMIT = 8
_QUESTIONS_LIMIT = 4
_KEPT_S = 10.0  # audio whose keyword has not come by then is a sensor's snapshot, or its keyword is lost


class VerdictFields(TypedDict, total=False):
    """What a keyword's publication says beside the keyword; `verdict_score` where there is a score."""

    verdict: str
    verdict_score: float
    verdict_model: str


class Judges:
    """What all devices of a bridge share: the rules, the worker, and counts of verdicts.

    Args:
        rules: of kind keyword: which words are heard again, and by what.
        worker: who hears them.
    """

    def __init__(self, rules: Sequence[RuleSection], worker: Worker):
        self._rules = rules
        self.worker = worker
        self.counts: Counter[str] = Counter({CONFIRMED: 0, REJECTED: 0, UNCHECKED: 0})

    async def run(self) -> None:
        """Load the models, and keep the worker until cancelled."""
        asked = {(rule.model, rule.hear.output, rule.hear.window) for rule in self._rules if rule.hear}
        try:
            for model, output, window in sorted(asked):
                try:
                    await self.worker.load(model, output, window)
                except NoScore as error:
                    log.error("confirm: %s: %s", model, error)
        finally:
            await self.worker.close()

    def opinion(self, device: str, word: str) -> Opinion | None:
        """Find who hears a word of a device again.

        Args:
            device: its id.
            word: the keyword.

        Returns:
            None for nobody.
        """
        for rule in self._rules:
            if rule.hear and rule.hear.keyword == word and rule.is_for(device):
                return Opinion(rule.model, rule.hear)
        return None

    def verdict(self, opinion: Opinion, score: float | None) -> VerdictFields:
        """The fields that a keyword's message gets.

        Args:
            opinion: who hears it again.
            score: None when nobody could.

        Returns:
            Those fields; the verdict is counted.
        """
        model = os.path.basename(opinion.model)
        if score is None:
            self.counts[UNCHECKED] += 1
            return {"verdict": UNCHECKED, "verdict_model": model}
        verdict = CONFIRMED if score >= opinion.hear.cutoff else REJECTED
        self.counts[verdict] += 1
        return {"verdict": verdict, "verdict_score": round(score, 4), "verdict_model": model}


@dataclass(frozen=True)
class Opinion:
    """Who hears a word again.

    Args:
        model: path of a .tflite file.
        hear: how.
    """

    model: str
    hear: HearSection


@dataclass(frozen=True)
class Question:
    """A keyword to be heard again.

    Args:
        seq: of its record.
        word: the keyword.
        opinion: who hears it again.
        samples: array('h') of the audio before it.
    """

    seq: int
    word: str
    opinion: Opinion
    samples: array[int]


class Verdicts:
    """One device's.

    Args:
        judges: what all devices share.
        window: called without arguments, gives how many records the device may have on the way.
        clock_s: seconds that never go back, for tests.
    """

    def __init__(self, judges: Judges, window: Callable[[], int], clock_s: Callable[[], float] = time.monotonic):
        self._judges = judges
        self._window = window
        self._clock_s = clock_s
        self.begin("")

    def begin(self, device: str) -> None:
        """Another journal begins: what was gathered belongs to the one before.

        Args:
            device: whose.
        """
        self._device = device
        self._audio: dict[int, Audio] = {}
        self._kept: dict[int, float] = {}  # channel -> until when its audio is kept
        self._waiting: dict[int, int] = {}  # keyword that waits for its verdict -> first record of its audio

    @property
    def keep_from(self) -> int | None:
        """The first record that the device must keep, because what comes after it waits for a verdict; or None."""
        now_s = self._clock_s()
        fresh = [audio.first_seq for channel, audio in self._audio.items() if self._kept.get(channel, 0) > now_s]
        firsts = [first for first in fresh if first is not None] + list(self._waiting.values())
        return min(firsts) if firsts and self._window() >= _LEAST_WINDOW else None

    def take(self, record: rec.Record) -> Question | VerdictFields | None:
        """Look at the next record.

        Args:
            record: as received.

        Returns:
            A question to be judged, the fields of a keyword that nobody can hear again, or None for other records.
        """
        try:
            if record.version != rec.VERSION:
                return None
            if record.type == rec.SNAPSHOT:
                self._gather(record)
            elif record.type == rec.KEYWORD:
                return self._question(record)
        except FrameError:
            pass  # it goes on as opaque
        return None

    async def judge(self, question: Question) -> VerdictFields:
        """Have a keyword heard again; never raises.

        Args:
            question: from `take`.

        Returns:
            The fields that its publication gets.
        """
        opinion, score = question.opinion, None
        hear = opinion.hear
        try:
            score = await self._judges.worker.score(
                opinion.model, hear.output, hear.window, question.samples, hear.timeout_s
            )
        except NoScore as error:
            log.warning("confirm: %s is unchecked: %s", question.word, error)
        return self._judges.verdict(opinion, score)

    def settled(self, seq: int) -> None:
        """A keyword's message is safe: its audio may be acknowledged."""
        self._waiting.pop(seq, None)

    def _gather(self, record: rec.Record) -> None:
        part = payload.unpack_snapshot(record.payload)
        audio = self._audio.pop(record.channel, None) or Audio()
        self._audio[record.channel] = audio  # the newest is the last
        if len(self._audio) > _CHANNELS_LIMIT:
            del self._audio[next(iter(self._audio))]
        audio.add(record.seq, part["part"], part["parts"], part["index"], part["samples"])
        self._kept[record.channel] = self._clock_s() + _KEPT_S

    def _question(self, record: rec.Record) -> Question | VerdictFields | None:
        keyword = payload.unpack_keyword(record.payload)
        audio = self._audio.pop(record.channel, None)
        opinion = self._judges.opinion(self._device, keyword["name"])
        if opinion is None:
            return None
        first = audio.first_seq if audio else None
        samples = audio.take(keyword["index"]) if audio and keyword["flags"] & payload.AUDIO else None
        if samples is None or first is None or len(self._waiting) >= _QUESTIONS_LIMIT:
            return self._judges.verdict(opinion, None)
        self._waiting[record.seq] = first
        return Question(record.seq, keyword["name"], opinion, samples)
