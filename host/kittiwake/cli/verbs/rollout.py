"""`kittiwake rollout`: one release to many boards, in waves, halted when boards do worse, and taken back when asked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kittiwake.cli import broker_options
from kittiwake.cli.output import Json, iso, print_json, progress

if TYPE_CHECKING:
    from kittiwake.rollout.members import Back, Decision, State
    from kittiwake.rollout.store import Kept

_Rollouts = Annotated[Path, typer.Option(help="File that keeps roll-outs and their decisions.")]
_ROLLOUTS = Path("rollouts.sqlite")
_Id = Annotated[int | None, typer.Option(help="Number of the roll-out; the newest when none.")]
_COLOURS = {
    "waiting": "#d9dee2",
    "offered": "#f4c95d",
    "watched": "#9fb8c8",
    "passed": "#2b5670",
    "failed": "#c1121f",
    "returned": "#b3541e",
}

group = typer.Typer(name="rollout", help="A release to many boards, in waves.", no_args_is_help=True)


@group.command()
def start(
    release: Annotated[Path, typer.Argument(help="The release, .kwu; bridges have the same file in their folder.")],
    to: Annotated[str, typer.Option(help="Only devices with this tag, GROUP=VALUE; all when none.")] = "",
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    canary: Annotated[int, typer.Option(help="Devices of the first wave.", min=1)] = 1,
    share: Annotated[
        list[int] | None, typer.Option(help="Percent of all devices after each later wave; repeatable.")
    ] = None,
    watch: Annotated[int, typer.Option(help="Seconds that each board is watched.", min=1, max=30 * 86400)] = 600,
    failures: Annotated[
        int, typer.Option(help="Percent of a wave that may fail, not of the first.", min=0, max=100)
    ] = 0,
    window: Annotated[list[str] | None, typer.Option(help="When it is offered, UTC: 22:00-05:30; repeatable.")] = None,
    inventory: Annotated[Path, typer.Option(help="The devices and their tags; see kittiwake fleet.")] = Path(
        "fleet.sqlite"
    ),
    rollouts: _Rollouts = _ROLLOUTS,
    begin_only: Annotated[bool, typer.Option("--begin-only", help="Leave the work to `rollout run`.")] = False,
    metrics: broker_options.Metrics = "",
) -> None:
    """Begin a roll-out, and carry it through; when the process dies, `rollout run` goes on.

    Waves go to devices that were heard of, in an order drawn from the release's name. A board is offered the release
    when it is there, and is late only by the time for which it was there.
    """
    import time

    from kittiwake.fleet.inventory import Inventory
    from kittiwake.fleet.store import FleetStore
    from kittiwake.fleet.tags import selection
    from kittiwake.release import container
    from kittiwake.rollout import plan as plans
    from kittiwake.rollout.store import RolloutStore

    selection(to)
    gateway = broker_options.Gateway.of(config, broker, base)
    head = container.load(release).head
    with FleetStore(inventory) as known:
        names = [device.name for device in Inventory(known.devices(), gateway.base).listed(to)]
    waves = plans.waves(names, release.name, canary, [percent / 100 for percent in share or (10, 50, 100)])
    plan = plans.Plan(
        release.name,
        head.version,
        head.counter,
        waves,
        trial_s=2 * head.trial_s + _TRANSFER_S,
        watch_s=watch,
        failures=failures / 100,
        windows=tuple(plans.window(text) for text in window or ()),
        sha256=_sha256(release),
    )
    with RolloutStore(rollouts) as store:
        kept = store.begin(plan, time.time_ns() // 1_000_000)
    progress(f"roll-out {kept.id} of {plan.release}: {', '.join(str(len(wave)) for wave in waves)} boards in waves")
    if not begin_only:
        run(broker, config, base, rollouts, metrics)


_TRANSFER_S = 900  # for the pieces of a whole release on a slow link


@group.command()
def run(
    broker: broker_options.Broker = "",
    config: broker_options.Config = None,
    base: broker_options.Base = "",
    rollouts: _Rollouts = _ROLLOUTS,
    metrics: broker_options.Metrics = "",
) -> None:
    """Carry the newest roll-out on until it is over; exit 5 when boards have failed or were taken back."""
    import asyncio

    from kittiwake.errors import EXIT_VERIFICATION
    from kittiwake.observe import web
    from kittiwake.observe.exposition import Figures
    from kittiwake.rollout.members import Phase
    from kittiwake.rollout.metrics import Exposition
    from kittiwake.rollout.runner import Runner
    from kittiwake.rollout.store import RolloutStore

    gateway = broker_options.Gateway.of(config, broker, base)
    with RolloutStore(rollouts) as store, gateway.exporting("rollout", str(rollouts)) as exports:

        async def work() -> Runner:
            runner = Runner(gateway.broker, gateway.base, store, lambda decision: progress(_line(decision)))
            exposition = Exposition(runner)
            serving = [asyncio.create_task(web.serve(metrics, exposition.pages()))] if metrics else []
            if exports and exports.telemetry:
                serving.append(asyncio.create_task(exports.telemetry.run(Figures(exposition).families)))
            try:
                await runner.run()
            finally:
                for task in serving:
                    task.cancel()
                await asyncio.gather(*serving, return_exceptions=True)
            return runner

        rollout = asyncio.run(work()).rollout
    if {Phase.FAILED, Phase.RETURNED} & set(rollout.counts()):
        raise typer.Exit(EXIT_VERIFICATION)


@group.command()
def status(
    id: _Id = None,
    rollouts: _Rollouts = _ROLLOUTS,
    log: Annotated[bool, typer.Option("--log", help="Every decision with its figures.")] = False,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A picture: .png, .svg or .html.")] = None,
    as_json: Json = False,
) -> None:
    """Show a roll-out: its state, its waves, and why boards failed."""
    from kittiwake.plot import picture
    from kittiwake.rollout.store import RolloutStore

    if output is not None:
        picture.check_output(output)
    with RolloutStore(rollouts) as store:
        kept = store.read(id)
        decisions = store.decisions(kept.id)
    if output is not None:
        _draw(output, kept, decisions)
    if as_json:
        print_json(_fields(kept, decisions))
        return
    wanted = f", {kept.wanted.value} asked for" if kept.wanted is not None else ""
    print(f"roll-out {kept.id} of {kept.plan.release}: {kept.state.value}{wanted}, begun {iso(kept.begun_ms)}")
    for number, wave in enumerate(kept.plan.waves):
        phases = [member.phase.value for member in kept.members if member.wave == number]
        of_phase = ", ".join(f"{phases.count(phase)} {phase}" for phase in dict.fromkeys(phases))
        print(f"wave {number + 1}: {len(wave)} boards: {of_phase or 'waiting'}")
    for member in kept.members:
        if member.why:
            print(f"{member.device}: {member.why}")
    if log:
        for decision in decisions:
            print(_line(decision))


@group.command()
def pause(id: _Id = None, rollouts: _Rollouts = _ROLLOUTS) -> None:
    """Offer the release to no more boards; those that have it are watched on."""
    from kittiwake.rollout.members import State

    _ask(id, rollouts, State.PAUSED)


@group.command()
def resume(id: _Id = None, rollouts: _Rollouts = _ROLLOUTS) -> None:
    """Go on after a pause or a halt; boards that have failed are forgiven."""
    from kittiwake.rollout.members import State

    _ask(id, rollouts, State.RUNNING)


@group.command()
def abort(id: _Id = None, rollouts: _Rollouts = _ROLLOUTS) -> None:
    """End a roll-out where it is; boards keep what they have."""
    from kittiwake.rollout.members import State

    _ask(id, rollouts, State.ABORTED)


@group.command()
def back(
    release: Annotated[Path, typer.Argument(help="What boards are to run: a release signed with --downgrade.")],
    id: _Id = None,
    rollouts: _Rollouts = _ROLLOUTS,
) -> None:
    """Take back a roll-out: every board that was offered the release gets an older one."""
    from kittiwake.rollout.members import State
    from kittiwake.rollout.returning import back_to

    _ask(id, rollouts, State.BACK, back_to(release))


def _ask(id: int | None, rollouts: Path, state: State, back: Back | None = None) -> None:
    from kittiwake.rollout.store import RolloutStore

    with RolloutStore(rollouts) as store:
        number = store.order(id, state, back)
    progress(f"roll-out {number}: {state.value} asked for; its process takes it up within a second or two")


def _draw(path: Path, kept: Kept, decisions: list[Decision]) -> None:
    from kittiwake.errors import UsageError
    from kittiwake.plot import phases
    from kittiwake.rollout.members import Phase

    changes = [(d.at_ms, d.device, d.phase.value) for d in decisions if d.phase is not None]
    marks = [(d.at_ms, d.text) for d in decisions if d.phase is None]
    if not changes:
        raise UsageError(f"roll-out {kept.id} has nothing to draw yet", "wait until it has offered the release")
    last_ms = decisions[-1].at_ms
    end_ms = last_ms + max(1000, (last_ms - decisions[0].at_ms) // 30)  # what came last is seen
    boards = sum(len(wave) for wave in kept.plan.waves)
    times, in_phase = phases.counts(boards, changes, Phase.WAITING.value, end_ms)
    title = f"{kept.plan.release}: {kept.state.value}, from {iso(changes[0][0])}"
    phases.draw(path, title, times, in_phase, _COLOURS, marks)
    progress(f"kittiwake: {path}")


def _fields(kept: Kept, decisions: list[Decision]) -> dict[str, object]:
    return {
        "id": kept.id,
        "release": kept.plan.release,
        "version": kept.plan.version,
        "counter": kept.plan.counter,
        "state": kept.state.value,
        "wanted": kept.wanted and kept.wanted.value,
        "begun": iso(kept.begun_ms),
        "waves": [list(wave) for wave in kept.plan.waves],
        "boards": [
            {"device": m.device, "wave": m.wave + 1, "phase": m.phase.value, "since": iso(m.since_ms), "why": m.why}
            for m in kept.members
        ],
        "decisions": [{"at": iso(d.at_ms), "device": d.device, "text": d.text} for d in decisions],
    }


def _line(decision: Decision) -> str:
    return f"{iso(decision.at_ms)} {decision.device or 'roll-out'}: {decision.text}"


def _sha256(release: Path) -> str:
    import hashlib

    return hashlib.sha256(release.read_bytes()).hexdigest()
