"""The command's verbs: one module each, arguments and printing only; the work is imported when a verb is called."""

from kittiwake.verbs.bench import bench
from kittiwake.verbs.boards import boards
from kittiwake.verbs.bridge import bridge
from kittiwake.verbs.demo import demo
from kittiwake.verbs.deploy import deploy
from kittiwake.verbs.detect import detect
from kittiwake.verbs.doctor import doctor
from kittiwake.verbs.explain import explain
from kittiwake.verbs.flash import flash
from kittiwake.verbs.inject import inject
from kittiwake.verbs.journal import journal
from kittiwake.verbs.listen import listen
from kittiwake.verbs.model import model
from kittiwake.verbs.plot import plot
from kittiwake.verbs.ports import ports
from kittiwake.verbs.provision import provision
from kittiwake.verbs.record import record
from kittiwake.verbs.run import run
from kittiwake.verbs.verify import verify
from kittiwake.verbs.watch import watch

ALL = (
    demo,
    detect,
    plot,
    explain,
    bridge,
    watch,
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
    provision,
    doctor,
    record,
)
