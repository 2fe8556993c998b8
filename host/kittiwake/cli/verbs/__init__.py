"""The command's verbs: one module each, arguments and printing only; the work is imported when a verb is called."""

from collections.abc import Callable

import typer

from kittiwake.cli.verbs.bench import bench
from kittiwake.cli.verbs.boards import app as boards
from kittiwake.cli.verbs.bridge import app as bridge
from kittiwake.cli.verbs.cost import cost
from kittiwake.cli.verbs.decide import decide
from kittiwake.cli.verbs.demo import demo
from kittiwake.cli.verbs.deploy import deploy
from kittiwake.cli.verbs.detect import detect
from kittiwake.cli.verbs.doctor import doctor
from kittiwake.cli.verbs.explain import explain
from kittiwake.cli.verbs.flash import flash
from kittiwake.cli.verbs.fleet import group as fleet
from kittiwake.cli.verbs.hil import app as hil
from kittiwake.cli.verbs.history import group as history
from kittiwake.cli.verbs.inject import inject
from kittiwake.cli.verbs.journal import group as journal
from kittiwake.cli.verbs.listen import listen
from kittiwake.cli.verbs.model_make import group as model
from kittiwake.cli.verbs.node import app as node
from kittiwake.cli.verbs.plot import plot
from kittiwake.cli.verbs.ports import ports
from kittiwake.cli.verbs.provision import provision
from kittiwake.cli.verbs.record import record
from kittiwake.cli.verbs.release import group as release
from kittiwake.cli.verbs.rollout import group as rollout
from kittiwake.cli.verbs.run import run
from kittiwake.cli.verbs.serve import serve
from kittiwake.cli.verbs.simulate import simulate
from kittiwake.cli.verbs.targets import targets
from kittiwake.cli.verbs.verify import verify
from kittiwake.cli.verbs.watch import watch
from kittiwake.cli.verbs.window import app as window

# A function is a verb; a Typer is one with verbs of its own.
ALL: tuple[Callable[..., None] | typer.Typer, ...] = (
    demo,
    detect,
    plot,
    explain,
    cost,
    node,
    bridge,
    watch,
    window,
    history,
    simulate,
    fleet,
    rollout,
    serve,
    decide,
    journal,
    inject,
    verify,
    bench,
    run,
    listen,
    model,
    ports,
    boards,
    flash,
    deploy,
    release,
    provision,
    doctor,
    record,
    targets,
    hil,
)
