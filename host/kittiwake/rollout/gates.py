"""Gates: what a board reports with the new release, held against what the same board reported before. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from kittiwake.rollout.plan import Limits


@dataclass(frozen=True)
class Measures:
    """What a board reports of itself, of its newest health record.

    Args:
        boot: number of its newest start.
        uptime_ms: since that start.
        alerts: since that start.
        evicted: records that its journal has given up, over the journal's life.
        heap_free: bytes.
        loop_max_us: longest turn of its loop since the last health record.
        journal_share: of the journal that is full, 0 to 1.
    """

    boot: int
    uptime_ms: int
    alerts: int
    evicted: int
    heap_free: int
    loop_max_us: int
    journal_share: float

    @property
    def alerts_a_day(self) -> float:
        """Alerts since the start, by its length."""
        return self.alerts * 86_400_000 / max(self.uptime_ms, 1)


def judge(before: Measures, confirmed: Measures, now: Measures, limits: Limits) -> list[str]:
    """Find what a board does worse than allowed.

    Args:
        before: with the old release.
        confirmed: when the new one had proved itself.
        now: with the new one.
        limits: what is allowed.

    Returns:
        What is wrong, each with its figures; empty when nothing is.
    """
    wrong = []
    restarts = now.boot - confirmed.boot
    if restarts > limits.restarts:
        wrong.append(f"restarts: {restarts}, at most {limits.restarts}")
    evicted = now.evicted - before.evicted
    if evicted > limits.evicted:
        wrong.append(f"evicted records: {evicted}, at most {limits.evicted}")
    if now.heap_free < (heap := math.ceil(before.heap_free * (1 - limits.heap_share))):
        wrong.append(f"free heap: {now.heap_free} bytes, at least {heap}; {before.heap_free} before")
    if now.loop_max_us > (loop := max(limits.loop_us, int(before.loop_max_us * limits.loop_factor))):
        wrong.append(f"longest turn of the loop: {now.loop_max_us} us, at most {loop}; {before.loop_max_us} before")
    if now.journal_share > (share := min(before.journal_share + limits.journal_share, 1.0)):
        wrong.append(f"journal: {now.journal_share:.0%} full, at most {share:.0%}; {before.journal_share:.0%} before")
    usual = before.alerts_a_day * now.uptime_ms / 86_400_000
    if now.alerts > (most := math.floor(usual + limits.alert_deviations * math.sqrt(usual) + limits.alerts_beyond)):
        wrong.append(f"alerts: {now.alerts} in {now.uptime_ms // 60_000} min, at most {most}; {usual:.1f} were usual")
    return wrong
