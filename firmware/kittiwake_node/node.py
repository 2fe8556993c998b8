"""The node: joins source, detector, journal, session and port in one poll loop. The only module that knows them all.

A poll loop and nothing else: the ports it must run on include one without asyncio, select and time. Every stage is
non-blocking, so a dead link costs the detector nothing.
"""

import json

from . import __version__, assembly, health, kernels, updates
from .errors import ConfigError
from .io import machine_facts, parts, provisioned
from .io.clock import Clock
from .io.settings_file import SettingsFile
from .keeping import Keeping
from .link import exact_json, messages, payload, record
from .link.commands import Commands
from .node_commands import NodeCommands
from .store.baselines import Baselines
from .store.executed import Executed
from .uplink import Uplink

_EVENT_SOURCE_ENDED, _EVENT_BASELINE, _EVENT_STORAGE, _EVENT_MODEL, _EVENT_UPDATE = range(1, 6)
_RESYNC_MS = 50  # a time from the gateway that differs by less is the link's jitter, not the clock's drift


class Node:
    """One sentinel.

    Args:
        config: dict; checked here (assembly.checked).
        keeping: keeping.Keeping, the journal and where it is.
        port: see io/port.py.
        clock: io.clock.Clock.
        make_source: called as make_source(channel config, clock), gives an io.source.Source.
        action: has set(level), see io/action.py.
        facts: module io.machine_facts, or the like.
        settings: io.settings_file.SettingsFile, what `config` was read from; None when it came from nowhere.

    Raises:
        ConfigError: a setting cannot be; says which.
        StorageError: the medium failed.
    """

    def __init__(self, config, keeping, port, clock, make_source, action, facts, settings=None):
        config = assembly.checked(config)
        self._config = config
        self._clock = clock
        self._action = action
        self._facts = facts
        self._keeping = keeping
        self._pulse_ms = config["action"]["pulse_ms"]
        self._release_ms = None
        self._action_max_us = 0
        self._loop_max_us = 0
        self._epoch_ms = 0
        self._pending_since = None
        self._health_ms = 0
        self._ended = False
        self.journal = keeping.journal
        self._layout = self.journal.describe(assembly.describe(config["channels"]))
        kernel = kernels.load_or_viper(config["kernel"])
        self._models_refused = 0
        self._left_out = []
        self.channels = assembly.make_channels(config, kernel, make_source, clock, facts, self, self._leave_out)
        self._baselines = Baselines(keeping.fs, assembly.learners(self.channels))
        action.set(0)
        assembly.arm(self.channels, config, kernel, action)
        settings = settings or SettingsFile("")
        self._updates = updates.make(
            settings.folder, self.channels, keeping, lambda text: self._note(_EVENT_UPDATE, text)
        )
        others = NodeCommands(__version__, facts, self.channels, self._baselines, self._set_time, self._updates.handle)
        commands = Commands(
            settings,
            Executed(keeping.fs, self.journal.next_seq, messages.OK),
            _refusal_of_text,
            self._log_event,
            lambda: self.journal.next_seq,
            others.handle,
        )
        self.session = assembly.make_session(config, self.journal, facts, commands.handle)
        self._uplink = Uplink(port, self.session)
        try:
            self._feed_watchdog = facts.start_watchdog(config["watchdog_s"])
        except ValueError as error:
            raise ConfigError("watchdog_s", str(error))
        text = "kittiwake %s, %s, kernel %s" % (__version__, facts.firmware(), kernel.name)
        boot = payload.pack_boot(facts.reset_cause(), facts.heap_free(), text)
        self.emit(record.BOOT, 0, record.ALERT, clock.ms(), boot)
        if keeping.problem:
            self._note(_EVENT_STORAGE, "records are kept in memory only: %s" % keeping.problem)
        if self._baselines.problem:
            self._note(_EVENT_BASELINE, self._baselines.problem)
        for text in self._left_out:
            self._note(_EVENT_MODEL, text)
        self._updates.begin()

    @property
    def device(self):
        """The device's name."""
        return self._config["device"]

    def _leave_out(self, text, is_model):
        self._models_refused += is_model
        self._left_out.append(text)

    def step(self):
        """One turn of the loop: input, samples, timers, output. Never blocks."""
        started_us = self._clock.us()
        now_ms = self._clock.ms()
        busy = self._uplink.take(now_ms)
        for channel in self.channels:
            if channel.step():
                busy = True
        now_ms = self._clock.ms()
        time_ms = self._uplink.port.take_time()
        if time_ms:
            self._set_time(time_ms[0], time_ms[1])
        self._timers(now_ms)
        self._uplink.give(now_ms)
        if not busy:
            self.journal.tidy()
        self._updates.step(now_ms, busy)
        self._feed_watchdog()
        self._loop_max_us = max(self._loop_max_us, self._clock.since_us(started_us))
        return busy or self._updates.has_work

    def run(self):
        """Turn the loop until a restart is due; between turns, sleep until bytes arrive or a sample is due."""
        while not self._updates.restarts:
            if not self.step():
                wait_ms = 20
                for channel in self.channels:
                    if not channel.ended:
                        wait_ms = min(wait_ms, channel.source.next_due_ms())
                if wait_ms:
                    self._uplink.port.wait(wait_ms)

    def halt(self):
        """Stop judging: no interrupt comes after this, and the action is in its fail-safe state."""
        for channel in self.channels:
            channel.source.close()
        self._action.fail_safe()

    def close(self):
        """An orderly stop: what is pending becomes safe."""
        self.halt()
        self.journal.close()
        self._updates.close()
        self._uplink.close(self._clock.ms())

    def _timers(self, now_ms):
        if self._release_ms is not None and now_ms >= self._release_ms:
            if not self._ended:
                self._action.set(0)
            self._release_ms = None
        journal = self.journal
        if not journal.pending_bytes(record.TELEMETRY) and not journal.pending_bytes(record.RAW):
            self._pending_since = None
        elif self._pending_since is None:
            self._pending_since = now_ms
        elif now_ms - self._pending_since >= self._config["commit_ms"]:
            journal.commit_all()
            self._pending_since = None
        if now_ms - self._health_ms >= self._config["health_s"] * 1000:
            self._health_ms = now_ms
            self._emit_health(now_ms)
        for name in self._baselines.save():
            self._note(_EVENT_BASELINE, "baseline of %s learned" % name)
        if not self._ended and all([c.ended for c in self.channels]):
            self._ended = True
            self._action.fail_safe()
            self._emit_health(now_ms)
            journal.commit_all()
            self._note(_EVENT_SOURCE_ENDED, "source ended after %d samples" % self.channels[0].index)

    def emit(self, kind, channel, cls, time_ms, body):
        """Journal a record; an alert becomes safe at once. Returns whether it is, or need not be yet."""
        mark = cls | record.LATE if self.session.update_lateness(self._clock.ms()) else cls
        draft = record.draft(kind, channel, mark, self.journal.state.boot, time_ms, self._epoch_ms, self._layout, body)
        self.journal.append(cls, draft)
        return cls != record.ALERT or self.journal.commit(cls)

    def commit(self, cls):
        """What was emitted in that class becomes safe now, and is numbered."""
        self.journal.commit(cls)

    def _note(self, code, text):
        self.emit(record.EVENT, 0, record.ALERT, self._clock.ms(), payload.pack_event(code, text))

    def on_alert(self, source, index):
        """Drive the action for an alert of the loop's."""
        if source.acts:
            return
        self._action.set(1)
        self._action_max_us = max(self._action_max_us, source.age_us(index))
        self._release_ms = self._clock.ms() + self._pulse_ms

    def on_microphone(self):
        """A microphone died, stopped or came back: health says so now, not in its turn."""
        self._emit_health(self._clock.ms())
        self.journal.commit_all()

    def health(self):
        """The counters of the health record, by name (payload.HEALTH_FIELDS)."""
        values = health.counters(self._facts, self._keeping, self._uplink.port, self.session, self.channels)
        values["loop_max_us"] = self._loop_max_us
        values["action_max_us"] = self._action_max_us
        values["models_refused"] = self._models_refused
        return values

    def _emit_health(self, now_ms):
        self.emit(record.HEALTH, 0, record.TELEMETRY, now_ms, payload.pack_health(self.health()))

    def _log_event(self, body, now_ms):
        return self.emit(record.EVENT, 0, record.ALERT, now_ms, bytes(body))

    def _set_time(self, utc_ms, now_ms):
        epoch_ms = utc_ms - now_ms
        if not 0 < epoch_ms < 1 << 48:
            return messages.REFUSED, b""
        if not -_RESYNC_MS <= epoch_ms - self._epoch_ms <= _RESYNC_MS:
            self._epoch_ms = epoch_ms
            self.emit(record.TIME, 0, record.ALERT, now_ms, payload.pack_time(utc_ms))
        return messages.OK, b""


def build(config, path=""):
    """Make a node and all its parts.

    Args:
        config: dict, see config.DEFAULTS; `link`, `storage`, `action` and every channel's `source` have a "kind".
        path: of the file it was read from, which commands may then read and replace; "" for none.

    Returns:
        A Node, ready to run.

    Raises:
        ConfigError, StorageError: what is wrong with the configuration or the medium.
    """
    clock = Clock()
    storage = config.get("storage", {})
    keeping = Keeping(lambda: parts.make_storage(storage), parts.make_memory, machine_facts.random_u64)
    node = Node(
        config,
        keeping,
        parts.make_port(assembly.checked(config)),
        clock,
        parts.make_source,
        parts.make_action(config.get("action", {})),
        machine_facts,
        SettingsFile(path),
    )
    assembly.forget_checks()
    return node


def refusal(config):
    """Why a node would not start with this configuration, in one line, or "" when it would; starts nothing."""
    from . import judgement  # a running node has no use for it

    return judgement.refusal(config)


def read_file(path):
    """The configuration from a JSON file, with what was provisioned. Raises OSError, ValueError, ConfigError."""
    with open(path) as file:
        return provisioned.lay_over(exact_json.parse(file.read(), json.loads))


def run_file(path):
    """Read the configuration from a JSON file and `run` it."""
    run(read_file(path), path)


def run(config, path=""):
    """Build a node and run it until a KeyboardInterrupt or an update's restart. Arguments as `build`'s."""
    node = build(config, path)
    try:
        node.step()
        # For who started it: a node whose link leads elsewhere shows only here that it runs.
        print("kittiwake: %s runs" % node.device)
        node.run()
        node.close()
        machine_facts.restart()
    except KeyboardInterrupt:
        node.close()
    finally:
        node.halt()


def _refusal_of_text(raw):
    try:
        return provisioned.objection() or refusal(provisioned.lay_over(exact_json.parse(raw, json.loads)))
    except (ValueError, TypeError, AttributeError, KeyError):
        return "no JSON object of settings"
    except MemoryError:
        return "the heap has no room to check them beside the node"
    finally:
        assembly.forget_checks()
