"""The roll-out's engine: what is known of each board, what to ask of it next, and why. Pure: no broker, no clock.

It is stepped with the time and with what boards report; everything that it must remember is in its members and its
state, so that a process that was killed goes on from what was written last. To ask twice is harmless: a board that has
a release is done with it at once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable

from kittiwake.rollout import gates
from kittiwake.rollout.gates import Measures
from kittiwake.rollout.members import Action, Back, Decision, Member, Phase, Sighting, State
from kittiwake.rollout.plan import Plan

ASK_AGAIN_MS = 60_000
_TOUCHED = (Phase.OFFERED, Phase.WATCHED, Phase.PASSED, Phase.FAILED, Phase.RETURNED)


class Rollout:
    """One roll-out.

    Args:
        plan: what is to be done.
        on_decision: called with each decision as it is made.
        members: as they were written last; None for a new roll-out.
        state: as it was written last.
        back: what its boards are to run, where it is taken back.

    Attributes:
        plan: what is to be done.
        members: device -> Member.
        state, back: of the whole.
    """

    def __init__(
        self,
        plan: Plan,
        on_decision: Callable[[Decision], None],
        members: Iterable[Member] | None = None,
        state: State = State.RUNNING,
        back: Back | None = None,
    ):
        self.plan = plan
        self._on_decision = on_decision
        if members is None:
            members = [Member(name, number) for number, wave in enumerate(plan.waves) for name in wave]
        self.members = {member.device: member for member in members}
        self.state, self.back = state, back

    @property
    def is_over(self) -> bool:
        """Whether there is nothing more to do."""
        return self.state in (State.DONE, State.ABORTED)

    @property
    def wave(self) -> int:
        """The newest wave that was begun."""
        return max((m.wave for m in self.members.values() if m.phase is not Phase.WAITING), default=0)

    def counts(self) -> dict[Phase, int]:
        """How many boards are in each phase."""
        return dict(Counter(member.phase for member in self.members.values()))

    def step(self, sightings: dict[str, Sighting], now_ms: int) -> list[tuple[str, Action]]:
        """Take note of what boards are, and decide.

        Args:
            sightings: of the devices that anything is known of.
            now_ms: UTC in milliseconds since 1970.

        Returns:
            (device, what it is to be told) of those to be told something now.
        """
        for member in self.members.values():
            self._look(member, sightings.get(member.device, Sighting(False)), now_ms)
        if self.state is State.RUNNING:
            self._advance(now_ms)
        elif self.state is State.BACK and self.back is not None:
            counts = self.counts()
            if set(counts) <= {Phase.WAITING, Phase.RETURNED}:
                self.set_state(State.DONE, f"{counts.get(Phase.RETURNED, 0)} run {self.back.release}", now_ms)
        wanted = {State.RUNNING: Action.OFFER, State.BACK: Action.RETURN}.get(self.state)
        if wanted is None or (wanted is Action.OFFER and not self.plan.is_open(now_ms)):
            return []
        newest = self._open_wave()
        return [
            (member.device, wanted)
            for member in self.members.values()
            if (sighting := sightings.get(member.device)) is not None
            and self._is_to_be_told(member, wanted, sighting, newest, now_ms)
        ]

    def set_state(self, state: State, why: str, now_ms: int) -> None:
        """Change the whole's state, but for taking back. To run again after a halt forgives the boards that failed.

        Args:
            state: the new one.
            why: in words.
            now_ms: UTC in milliseconds since 1970.
        """
        self.state = state
        for member in self.members.values():
            member.is_forgiven = member.is_forgiven or (state is State.RUNNING and member.phase is Phase.FAILED)
        self._on_decision(Decision(now_ms, "", f"{state.value}: {why}"))

    def take_back(self, back: Back, now_ms: int) -> None:
        """Tell every board that was offered the release to take an older one.

        Args:
            back: what they are to run.
            now_ms: UTC in milliseconds since 1970.
        """
        self.back = back
        for member in self.members.values():
            member.asked_ms = None
        self.set_state(State.BACK, f"boards are to run {back.release}", now_ms)

    def _is_to_be_told(self, member: Member, action: Action, sighting: Sighting, newest: int, now_ms: int) -> bool:
        if not sighting.is_there or (member.asked_ms is not None and now_ms - member.asked_ms < ASK_AGAIN_MS):
            return False
        if action is Action.RETURN:
            if member.phase not in _TOUCHED or (self.back and sighting.counter == self.back.counter):
                return False
        elif member.phase is Phase.WAITING and member.wave <= newest:
            if sighting.measures is None and sighting.counter != self.plan.counter:
                return False  # there would be nothing to hold it against
            member.before = None if sighting.counter == self.plan.counter else sighting.measures
            self._move(member, Phase.OFFERED, "offered", now_ms)
            member.seen_ms = now_ms
        elif member.phase is not Phase.OFFERED or sighting.counter == self.plan.counter:
            return False
        member.asked_ms = now_ms
        return True

    def _look(self, member: Member, sighting: Sighting, now_ms: int) -> None:
        if self.state is State.BACK:
            is_back = self.back is not None and sighting.counter == self.back.counter and sighting.is_proved
            if is_back and member.phase in _TOUCHED and member.phase is not Phase.RETURNED:
                self._move(member, Phase.RETURNED, f"runs release {sighting.counter}", now_ms)
        elif member.phase is Phase.OFFERED:
            if sighting.is_there and member.seen_ms is not None:
                member.present_ms += max(0, now_ms - member.seen_ms)
            member.seen_ms = now_ms if sighting.is_there else None
            self._look_at_trial(member, sighting, now_ms)
        elif member.phase is Phase.WATCHED:
            self._look_at_watched(member, sighting, now_ms)

    def _look_at_trial(self, member: Member, sighting: Sighting, now_ms: int) -> None:
        if sighting.problem:
            self._fail(member, sighting.problem, now_ms)
        elif (
            sighting.counter == self.plan.counter and sighting.is_proved and self._is_of_new(member, sighting.measures)
        ):
            member.confirmed = sighting.measures
            took_s = member.present_ms // 1000
            self._move(member, Phase.WATCHED, f"runs {self.plan.version} after {took_s} s", now_ms)
        elif member.present_ms > 1000 * self.plan.trial_s:
            self._fail(member, f"not confirmed in {self.plan.trial_s} s of being there", now_ms)

    def _is_of_new(self, member: Member, measures: Measures | None) -> bool:
        # The newest health record may still be the old application's.
        return measures is not None and (member.before is None or measures.boot > member.before.boot)

    def _look_at_watched(self, member: Member, sighting: Sighting, now_ms: int) -> None:
        if sighting.problem or (sighting.is_there and sighting.counter != self.plan.counter):
            self._fail(member, sighting.problem or f"runs release {sighting.counter} again", now_ms)
            return
        now, confirmed = sighting.measures, member.confirmed
        if now is None or confirmed is None or now == confirmed or not sighting.is_there:
            return  # the first record has the start in it: the turn of the loop is longest there
        wrong = gates.judge(member.before or confirmed, confirmed, now, self.plan.limits)
        if wrong:
            self._fail(member, "; ".join(wrong), now_ms)
        elif now_ms - member.since_ms >= 1000 * self.plan.watch_s:
            self._move(member, Phase.PASSED, f"nothing worse in {self.plan.watch_s} s", now_ms)

    def _open_wave(self) -> int:
        """The wave whose boards are offered the release: the first that is not through."""
        for number in range(len(self.plan.waves)):
            of_wave = [member for member in self.members.values() if member.wave == number]
            judged = [member for member in of_wave if member.phase in (Phase.PASSED, Phase.FAILED)]
            under_way = any(member.phase in (Phase.OFFERED, Phase.WATCHED) for member in of_wave)
            if under_way or not judged:
                return number
        return len(self.plan.waves) - 1

    def _advance(self, now_ms: int) -> None:
        for number in range(len(self.plan.waves)):
            failed = [
                member
                for member in self.members.values()
                if member.wave == number and member.phase is Phase.FAILED and not member.is_forgiven
            ]
            if len(failed) > self.plan.may_fail(number):
                size = len(self.plan.waves[number])
                self.set_state(
                    State.HALTED,
                    f"wave {number + 1}: {len(failed)} of {size} failed, at most {self.plan.may_fail(number)}: "
                    f"{failed[0].device}: {failed[0].why}",
                    now_ms,
                )
                return
        if all(member.phase in (Phase.PASSED, Phase.FAILED) for member in self.members.values()):
            self.set_state(State.DONE, f"{self.counts().get(Phase.PASSED, 0)} of {len(self.members)} passed", now_ms)

    def _fail(self, member: Member, why: str, now_ms: int) -> None:
        member.why = why
        self._move(member, Phase.FAILED, f"failed: {why}", now_ms)

    def _move(self, member: Member, phase: Phase, text: str, now_ms: int) -> None:
        member.phase, member.since_ms, member.asked_ms = phase, now_ms, None
        self._on_decision(Decision(now_ms, member.device, text, phase))
