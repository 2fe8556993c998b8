"""What the tests of the running history share: a publisher that outlives brokers, and the process."""

import contextlib
import secrets
import signal
import subprocess
import sys
import threading
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt import publish
from paho.mqtt.enums import CallbackAPIVersion

from tests.support.processes import dying_with_us
from tests.support.waiting import until


class Publisher:
    """Publishes at QoS 1, a bounded number on the way, and keeps on over the broker's restarts."""

    def __init__(self, broker):
        self._client = paho.Client(CallbackAPIVersion.VERSION2, client_id="publisher", clean_session=False)
        self._client.reconnect_delay_set(1, 1)
        self._room = threading.Semaphore(500)
        self.confirmed = 0
        self._client.on_publish = self._done
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()

    def _done(self, *_):
        self.confirmed += 1
        self._room.release()

    def send(self, topic, payload):
        assert self._room.acquire(timeout=60)
        self._client.publish(topic, payload, 1)

    def close(self):
        self._client.disconnect()
        self._client.loop_stop()


class Process:
    """`kittiwake history run`, to be killed and ended.

    Args:
        broker: where records come from; None with a configuration.
        database: address of the history; None with a configuration.
        config: path of a configuration.
        log: file that its log goes to; None for the answer of `end`.
    """

    def __init__(self, broker, database, config=None, log=None):
        command = [sys.executable, "-m", "kittiwake", "history", "run"]
        if config is None:
            command += ["--broker", broker.url, "--database", str(database)]
        else:
            command += ["--config", str(config)]
        with contextlib.ExitStack() as stack:
            stderr = subprocess.PIPE if log is None else stack.enter_context(open(log, "ab"))
            self._popen = subprocess.Popen(
                dying_with_us(command),
                stderr=stderr,
                text=True,
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # ignored below a background job
            )

    def kill(self):
        self._popen.kill()
        self._popen.communicate()

    def end(self):
        self._popen.send_signal(signal.SIGINT)
        _, said = self._popen.communicate(timeout=30)
        return self._popen.returncode, said


def times_known(log):
    """How often a history in a log's text came to be known to its broker, which keeps nothing for strangers.

    NATS sends records before it has saved the subscription: neither a connection nor a row shows that.
    """
    return log.count("the broker keeps what this history has not acknowledged")


def wait_until_saved(broker, save=lambda: None):
    """Wait until a broker's disk has all that it has confirmed; who publishes has to be frozen or done.

    What was sent to it and not read would be confirmed after the save, so that is waited for first.

    Args:
        broker: a Mosquitto.
        save: has it save, where it does not by itself.
    """
    until(lambda: _unread_bytes(broker.port) == 0, "a broker that has read everything", 60)
    mark = secrets.token_hex(16)
    publish.single("saved", mark, qos=1, retain=True, port=broker.port, hostname="127.0.0.1")
    save()
    state = broker.folder / "mosquitto.db"
    until(lambda: state.exists() and mark.encode() in state.read_bytes(), "the broker's state saved", 60)


def _unread_bytes(port):
    """What is on its way to a port of this machine: in its sockets, and in those at the other ends."""
    sockets = (line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:])
    total = 0
    for _, local, remote, _, queues, *_ in sockets:
        to_write, to_read = (int(queue, 16) for queue in queues.split(":"))
        total += to_read * (int(local.split(":")[1], 16) == port) + to_write * (int(remote.split(":")[1], 16) == port)
    return total
