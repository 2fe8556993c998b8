"""Assembly: makes the parts of a channel, and the session, from checked settings. The node's own; it runs nothing."""

import json

from .detect import kinds
from .detect.clip import Clip
from .errors import ConfigError, ModelError
from .io import parts
from .link.device_session import DeviceSession

_AUDIO_SPARE_BYTES = 16384  # what journal and session need while a second of audio goes through them


def describe(channels):
    """The channel description that records refer to: what the gateway needs to turn integers into units."""
    keys = ("name", "sensor_id", "unit", "scale", "offset")
    return json.dumps([{key: c[key] for key in keys} for c in channels]).encode()


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


def make_hearing(kernel, hear, refuse):
    """What hears words in a microphone's channel; a model that cannot run is left out, and the node goes on without it.

    Args:
        kernel: what `kernels.load` returned.
        hear: the channel's settings.
        refuse: called as refuse(path, ModelError) for each model that is left out.

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
            refuse(path, error)
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
        refuse(path, refused[path])
    return hearing


def make_last_second(kernel, wanted, heap_free, leave_out):
    """What keeps a microphone's last second; None where it is not wanted, or where the heap has no room for it.

    Args:
        kernel: what `kernels.load` returned.
        wanted: the channel's setting.
        heap_free: gives the free heap in bytes, after collecting.
        leave_out: called with a text when there is no room: a node that hears without audio is better than none.

    Returns:
        speech.last_second.LastSecond, or None. Allocates.
    """
    if not wanted:
        return None
    from .speech import last_second

    free, needed = heap_free(), last_second.RING_BYTES + _AUDIO_SPARE_BYTES
    if free < needed:
        leave_out("audio is left out: the heap has %d bytes free, it takes %d" % (free, needed))
        return None
    try:
        return last_second.LastSecond(kernel)
    except MemoryError:
        leave_out("audio is left out: the heap has no %d bytes in one piece" % last_second.RING_BYTES)
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
    from .mqtt import publication, requests, session

    mqtt = config["mqtt"]
    try:
        password = facts.read_secret(mqtt["password_file"])
    except OSError as error:
        raise ConfigError("mqtt.password_file", "%s cannot be read (%s)" % (mqtt["password_file"], error))
    login = session.Login(mqtt["client_id"], mqtt["username"], password, mqtt["keepalive_s"], mqtt["in_flight"])
    publisher = publication.Publisher(mqtt["base"], mqtt["topics"], device, journal.id)
    asked = requests.Requests(device, handle, json.loads, json.dumps, facts.digest)
    return session.MqttSession(login, publisher, journal, json.loads, asked.answer)
