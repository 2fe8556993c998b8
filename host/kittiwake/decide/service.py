"""The process that decides: from the broker, through a model, to the broker; acknowledged when the decision is there.

A record is acknowledged to the broker after the broker has confirmed the decision and the command that were made of it.
Killed in between, it makes them again, and they are the same.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path

from kittiwake.decide import decision, features, opinion
from kittiwake.decide.gathering import Gathering
from kittiwake.decide.settings import DecideSection, RuleSection
from kittiwake.errors import ConfigError
from kittiwake.history.row import NotARecord, Row, read
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.observe.events import event
from kittiwake.serve.model import InferenceError, Verdict
from kittiwake.serve.store import ModelStore

log = logging.getLogger(__name__)

_RECEIVE_LIMIT = 2048
_AWAY_S = 90 * 86400
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)


class _Owed:
    """Messages that wait until the broker has what was made of them."""

    def __init__(self, service: DecideService, handles: list[int], count: int):
        self._service, self._handles, self._left = service, handles, count
        self._generation = service.generation

    def confirmed(self) -> None:
        """The broker has one of them."""
        self._left -= 1
        if self._left == 0:
            self._service.done(self._handles, self._generation)

    def refused(self, reason: str) -> None:
        """The broker takes it from nobody; sent again it would be no better, and others wait behind it."""
        self._service.counts["refused"] += 1
        log.error("decide: the broker refused a decision: %s", reason)
        self.confirmed()


class DecideService:
    """Decides until it is cancelled. Make it inside a running event loop.

    Args:
        broker: the settings.
        base: first levels of the topics.
        topics: kind -> topic, where the bridge has one of its own.
        section: the rules.

    Attributes:
        counts: "messages", "decisions", "anomalies", "commands", "failed", "refused", "other" since it began.
        seconds: how many decisions took up to SECONDS[i], and in the end more.
        generation: connections that were lost; a handle is worth something in its own alone.

    Raises:
        UsageError: there is no such folder of models.
        ConfigError: there is no rule, or a rule's model is not there.
    """

    def __init__(self, broker: BrokerSection, base: str, topics: Mapping[str, str], section: DecideSection):
        if not section.rules:
            raise ConfigError("decide.rules: there is none", "write a [[decide.rules]] table; see docs/howto/decide.md")
        self._base, self._section = base, section
        self.store = ModelStore(Path(section.models)) if section.models else None
        if self.store:
            self.store.scan()
        for rule in section.rules:
            if rule.hear is None and self.store and rule.model not in self.store.models:
                problem = self.store.loads[rule.model].problem if rule.model in self.store.loads else "no such file"
                raise ConfigError(f"decide.rules: {rule.name}: model {rule.model!r}: {problem}")
        self.counts: Counter[str] = Counter()
        self.seconds = [0] * (len(SECONDS) + 1)
        self.seconds_sum = 0.0
        self.generation = 0
        self._gathering = Gathering()
        self._waiting: deque[tuple[list[tuple[RuleSection, Row, list[int] | None]], list[int]]] = deque()
        if "session_expiry_s" not in broker.model_fields_set:
            broker = broker.model_copy(update={"session_expiry_s": _AWAY_S})
        name = section.client_id or f"kittiwake-decide-{base.replace('/', '-')}"
        kinds = sorted({rule.kind for rule in section.rules})
        self.publisher = MqttClient(
            broker, f"{name}-out", callbacks=Callbacks(on_room=self._go_on, on_connected=self._go_on)
        )
        self.reader = MqttClient(
            broker,
            name,
            subscriptions=tuple(topics.get(kind, f"{base}/+/{kind}/+") for kind in kinds),
            callbacks=Callbacks(on_message=self._take, on_disconnected=self._forget),
            is_lasting=True,
            receive_limit=_RECEIVE_LIMIT,
        )

    async def run(self) -> None:
        """Run until cancelled."""
        tasks = [asyncio.create_task(client.run()) for client in (self.publisher, self.reader)]
        if self.store:
            tasks.append(asyncio.create_task(self._look(self.store)))
        try:
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(self.reader.close(), self.publisher.close())

    def done(self, handles: list[int], generation: int) -> None:
        """The broker has what was made of these messages.

        Args:
            handles: of the messages.
            generation: in which they came.
        """
        if generation == self.generation:
            for handle in handles:
                self.reader.acknowledge(handle)

    async def _look(self, store: ModelStore) -> None:
        while True:
            await asyncio.sleep(self._section.scan_s)
            await asyncio.to_thread(store.scan)

    def _forget(self) -> None:
        # Handles are of the connection; the broker sends again what it got no answer for.
        self.generation += 1
        self._waiting.clear()
        self._gathering.clear()

    def _take(self, topic: str, payload: bytes, handle: int) -> None:
        self.counts["messages"] += 1
        try:
            row = read(topic, payload)
        except NotARecord:
            self.counts["other"] += 1
            self.reader.acknowledge(handle)
            return
        rules = [rule for rule in self._section.rules if decision.applies(rule, row)]
        if not rules:
            self.counts["other"] += 1
            self.reader.acknowledge(handle)
        elif row.kind == "snapshot":
            snapshot, free = self._gathering.take(row, handle)
            self.done(free, self.generation)
            if snapshot is not None:
                work = [(rule, snapshot.first, snapshot.samples) for rule in rules]
                self._waiting.append((list(work), snapshot.handles))
        else:
            self._waiting.append(([(rule, row, None) for rule in rules], [handle]))
        self._go_on()

    def _go_on(self) -> None:
        """Decide what waits, while the broker takes it."""
        while self._waiting and self.publisher.has_room:
            work, handles = self._waiting.popleft()
            made = [each for rule, row, samples in work if (each := self._decide(rule, row, samples)) is not None]
            messages = [(each.topic, each.payload, 1) for each in made]
            messages += [(each.command_topic, each.command, 2) for each in made if each.command]
            if not messages:
                self.done(handles, self.generation)
                continue
            owed = _Owed(self, handles, len(messages))
            for topic, payload, qos in messages:
                self.publisher.publish(topic, payload, qos, receipt=owed)

    def _decide(self, rule: RuleSection, row: Row, samples: list[int] | None) -> decision.Made | None:
        """Make a decision; None, counted, where the record gives no features or the model no verdict."""
        begin = time.perf_counter()
        try:
            model, version, verdict = self._verdict(rule, row, samples)
        except (features.NoFeatures, InferenceError) as error:
            self.counts["failed"] += 1
            log.warning(
                "decide: %s: %s %s %d: %s",
                rule.name,
                row.device,
                row.journal,
                row.seq,
                error,
                extra=event("decision.failed"),
            )
            return None
        made = decision.make(self._base, rule, row, model, version, verdict)
        self.counts["decisions"] += 1
        self.counts["anomalies"] += verdict.is_anomaly
        self.counts["commands"] += bool(made.command)
        self._count(time.perf_counter() - begin)
        return made

    def _verdict(self, rule: RuleSection, row: Row, samples: list[int] | None) -> tuple[str, str, Verdict]:
        """Give the model's name, its version and its verdict."""
        if rule.hear is not None:
            name, verdict = opinion.of_keyword(row.body)
            # The record itself says what was heard: which file that was is nobody's to say afterwards.
            version = ""
        else:
            model = self.store.models.get(rule.model) if self.store else None
            if model is None:
                raise InferenceError(f"there is no model {rule.model!r}")
            if samples is None:
                values = features.of_summary(row.body, rule.features)
            else:
                values = features.of_samples(samples, rule.features)
            name, version, verdict = model.name, model.version, model.verdicts(model.run(model.feeds_of([values])))[0]
        if not 0 <= verdict.confidence <= 1:
            raise InferenceError("the model's probability is none")
        return name, version, verdict

    def _count(self, seconds: float) -> None:
        place = next((number for number, most in enumerate(SECONDS) if seconds <= most), len(SECONDS))
        self.seconds[place] += 1
        self.seconds_sum += seconds
