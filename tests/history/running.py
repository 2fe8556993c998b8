"""What the tests of the running history share: a publisher that outlives brokers, and the process."""

import contextlib
import signal
import subprocess
import sys
import threading
import time

import paho.mqtt.client as paho
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


def wait_until_saved(state):
    """Wait until the broker has saved, on its disk, what it has confirmed so far: it does so each second."""
    confirmed_ns = time.time_ns()
    until(lambda: state.exists() and state.stat().st_mtime_ns > confirmed_ns, "the broker's state saved", 60, 0.1)
