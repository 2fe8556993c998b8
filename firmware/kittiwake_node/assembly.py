"""Assembly: makes the parts of a channel, and the session, from checked settings. The node's own; it runs nothing."""

import json
import sys

from .detect import kinds
from .detect.clip import Clip
from .errors import ConfigError, ModelError
from .io import parts
from .link.device_session import DeviceSession

_CHECKS = ("judgement", "config", "config_link", "config_source", "config_sensor", "config_states", "config_checks")
_AUDIO_SPARE_BYTES = 16384  # what journal and session need while a second of audio goes through them


def checked(config):
    """Check a configuration and fill in its defaults (config.check). Loads what that takes; `forget_checks` frees it.

    Raises:
        ConfigError: names the setting.
    """
    from .config import check

    return check(config)


def forget_checks():
    """Give back the heap that the checks' modules take: a node needs them as it starts, and for new settings."""
    package = sys.modules[__name__.rpartition(".")[0]]
    for name in _CHECKS:
        if sys.modules.pop("%s.%s" % (package.__name__, name), None) and hasattr(package, name):
            delattr(package, name)


def describe(channels):
    """The channel description that records refer to: what the gateway needs to turn integers into units."""
    entries = []
    for channel in channels:
        entry = {key: channel[key] for key in ("name", "sensor_id", "unit", "scale", "offset")}
        if channel["kind"] == "states":
            entry["kind"] = "states"
        entries.append(entry)
    return json.dumps(entries).encode()


def make_channels(config, kernel, make_source, clock, facts, owner, leave_out):
    """The node's channels, in the order of the configuration. Their sources are not armed yet.

    Args:
        config: of the node, checked.
        kernel: what `kernels.load` returned.
        make_source: called as make_source(channel config, clock), gives an io.source.Source.
        clock: io.clock.Clock.
        facts: module io.machine_facts, or the like.
        owner: who is told of what the channels see, see channel.BaseChannel.
        leave_out: called as leave_out(text, is_model) with what has no room or cannot run: the node goes on without it.

    Raises:
        ConfigError: a part cannot be; says which.
    """
    # Not with the module: a host that only records a source's samples has no heap to spare for what judges them.
    from .detect.channel import Channel
    from .detect.summary import Summary

    channels = []
    for number, settings in enumerate(config["channels"]):
        source = make_source(settings, clock)
        common = (number, settings, source, Summary(kernel), make_clip(kernel, settings, source))
        if settings["kind"] == "microphone":
            from .speech.ear import Ear  # boards without a microphone need not load it

            hear = settings["hear"]
            hearing = make_hearing(kernel, hear, leave_out)
            last = make_last_second(kernel, hear["audio"], facts.heap_free, leave_out)
            channels.append(Ear(*common, hearing, last, clock, owner))
        else:
            detectors = make_detectors(kernel, settings)
            snapshots = make_snapshots(kernel, settings)
            rest = detectors, snapshots, config["block"], owner
            channel = None
            if settings["kind"] == "states":
                from .assembly_states import make_states  # boards that tell no states need not load it

                channel = make_states(kernel, settings, common + rest, clock, leave_out)
            channels.append(channel or Channel(*common, *rest))
    return channels


def arm(channels, config, kernel, action):
    """Let the sources begin, with what judges and acts in the interrupt of those that have one."""
    for channel, settings in zip(channels, config["channels"]):
        arm_source(kernel, settings, channel.source, action, config["action"]["pulse_ms"])


def arm_source(kernel, channel, source, action, pulse_ms):
    """Let one source begin; arguments as make_reflex's."""
    source.arm(lambda: make_reflex(kernel, channel, source, action, pulse_ms))


def make_detectors(kernel, channel):
    """The channel's detectors. Raises ConfigError, naming the channel."""
    try:
        return [kinds.make(kernel, d, channel["bits"]) for d in channel["detectors"]]
    except ConfigError as error:
        raise ConfigError("channel %s: %s" % (channel["name"], error.code), error.detail)


def make_reflex(kernel, channel, source, action, pulse_ms):
    """What the source's interrupt does. It has a detector of its own, so that neither side waits for the other."""
    from .detect.reflex import Reflex  # boards that do not judge in an interrupt need not load it

    if source.acts:
        push = make_reflex_detector(kernel, channel).push
    else:
        push, action = judge_nothing, parts.make_action({})
    return Reflex(source.sensor, push, action, source.samples_in(pulse_ms), source.room)


def judge_nothing(x):
    """For an interrupt that only takes samples."""
    return False


def make_reflex_detector(kernel, channel):
    """The channel's first detector once more."""
    if kernel.name == "plain":
        raise ConfigError("kernel", "plain allocates, which an interrupt must not: choose viper, or the board's own")
    if not channel["detectors"] or channel["detectors"][0]["kind"] == "baseline":
        raise ConfigError(
            "channel %s: detectors" % channel["name"],
            "the first one runs in an interrupt: zscore, drift or novelty, since a baseline allocates",
        )
    return kinds.make(kernel, channel["detectors"][0], channel["bits"])


def make_clip(kernel, channel, source):
    """Of the sensor's range where the source has a sensor, else of all that the channel's bits hold."""
    end = 1 << (channel["bits"] - 1)
    return Clip(kernel, -end if source.low is None else source.low, end - 1 if source.high is None else source.high)


def make_snapshots(kernel, channel):
    """What keeps samples around an event; None where nothing is kept. Raises ConfigError, naming the channel."""
    s = channel["snapshot"]
    if not s["after"]:
        return None
    from .detect.snapshot import Snapshots

    try:
        return Snapshots(kernel, s["before"], s["after"], s["bytes_per_hour"], (channel["rate_hz"] or 1000) * 3600)
    except ConfigError as error:
        raise ConfigError("channel %s: %s" % (channel["name"], error.code), error.detail)


def make_hearing(kernel, hear, leave_out):
    """What hears words in a microphone's channel; a model that cannot run is left out, and the node goes on without it.

    Args:
        kernel: what `kernels.load` returned.
        hear: the channel's settings.
        leave_out: as for make_channels.

    Returns:
        speech.hearing.Hearing. Allocates.
    """
    from .io import model_file
    from .speech import words
    from .speech.frontend import Frontend
    from .speech.hearing import Hearing

    paths, plans, refused = [], [], {}
    for path in hear["models"]:
        try:
            plan = model_file.read_plan(path)
            words.check(plan)
            plans.append(plan)
            paths.append(path)
        except ModelError as error:
            leave_out("model %s is left out: %s" % (path, error), True)
    hearing = None
    while hearing is None:
        try:
            spoken = words.make(
                kernel, plans, hear["refractory_ms"], lambda place, error: refused.update({paths[place]: error})
            )
            hearing = Hearing(kernel, Frontend(kernel), spoken)
        except MemoryError:
            if not plans:
                raise
            # Plans are the largest part of it: without the last one there may be room.
            spoken = plan = None
            plans.pop()
            refused[paths.pop()] = ModelError("memory", "the heap has no room for it beside the node")
    for path in refused:
        leave_out("model %s is left out: %s" % (path, refused[path]), True)
    return hearing


def make_last_second(kernel, audio, heap_free, leave_out):
    """What keeps a microphone's last second; None where it is not wanted, or where the heap has no room for it.

    Args:
        kernel: what `kernels.load` returned.
        audio: the channel's setting.
        heap_free: gives the free heap in bytes, after collecting.
        leave_out: as for make_channels: a node that hears without audio is better than none.

    Returns:
        speech.last_second.LastSecond, or None. Allocates.
    """
    if not audio:
        return None
    from .speech import last_second

    free, needed = heap_free(), last_second.RING_BYTES + _AUDIO_SPARE_BYTES
    if free < needed:
        leave_out("audio is left out: the heap has %d bytes free, it takes %d" % (free, needed), False)
        return None
    try:
        return last_second.LastSecond(kernel)
    except MemoryError:
        leave_out("audio is left out: the heap has no %d bytes in one piece" % last_second.RING_BYTES, False)
    return None


def learners(channels):
    """(name, Baseline) of every detector that learns; the name is channel-place."""
    return [
        ("%d-%d" % (c.number, place), watch.detector.learner)
        for c in channels
        for place, watch in enumerate(c.watches)
        if watch.detector.learner
    ]


def make_session(config, journal, facts, handle):
    """The session with the gateway, or with a broker where the link is one's.

    Args:
        config: of the node, checked.
        journal: store.journal.Journal.
        facts: module io.machine_facts, or the like.
        handle: see link.device_session.

    Raises:
        ConfigError: the broker's password cannot be read.
    """
    device = config["device"]
    if config["link"].get("kind") != "mqtt":
        return DeviceSession(device, journal.state.boot, journal, handle)
    # Boards without a network have no memory to spare for what only a broker needs.
    from .mqtt import json_commands, packets, publication, session

    mqtt = config["mqtt"]
    try:
        password = facts.read_secret(mqtt["password_file"])
    except OSError as error:
        raise ConfigError("mqtt.password_file", "%s cannot be read (%s)" % (mqtt["password_file"], error))
    login = packets.Login(mqtt["client_id"], mqtt["username"], password, mqtt["keepalive_s"], mqtt["in_flight"])
    publisher = publication.Publisher(mqtt["base"], mqtt["topics"], device, journal.id)
    commands = json_commands.JsonCommands(device, handle, json.loads, json.dumps, facts.digest)
    return session.MqttSession(login, publisher, journal, json.loads, commands.respond)
