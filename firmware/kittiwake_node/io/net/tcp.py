"""A connection to a broker that comes and goes: network, address, TCP and TLS, one step a turn, none of them waiting.

Knows when to try again, not what is sent. Has a port's methods (io/port.py); `poll` says whether it stands.
"""

import errno
import os
import select
import socket
import time

FIRST_MS = 500
LAST_MS = 30000
_CONNECT_MS = 10000
_STEADY_MS = 2000  # a connection that lasted so long was one: the next attempt may come at once
_REST, _FIND, _CONNECT, _UP = 0, 1, 2, 3


class TcpPort:
    """One connection at a time.

    Args:
        host: the name that the certificate must have.
        port: number.
        resolver: a Resolver of the host.
        context: of io.tls, None for no TLS.
        wifi: a Wifi, None where the network is there anyway.
        timesync: a TimeSync, None for none. With TLS it comes first: certificates have dates.
        say: called with a line when something new is the matter.

    Attributes:
        problem: why there is no connection, "" while there is.
        connections: how often one was made.
    """

    def __init__(self, host, port, resolver, context=None, wifi=None, timesync=None, say=print):
        self._host = host
        self._port = port
        self._resolver = resolver
        self._context = context
        self._wifi = wifi
        self._timesync = timesync
        self._say = say
        self._stage = _REST
        self._socket = None
        self._stream = None
        self._poll = None
        self._rest = None  # of what is being written
        self._failure = ""
        self._since_ms = 0
        self._retry_ms = 0
        self._delay_ms = FIRST_MS
        self.problem = ""
        self.connections = 0

    @property
    def is_idle(self):
        """Whether everything given to `send` has been written, and more can be."""
        return self._rest is None and self._stage == _UP and not self._failure

    def poll(self, now_ms):
        """Go on with whatever is due; call every turn. Returns whether the connection stands."""
        if self._wifi is not None and not self._wifi.poll(now_ms):
            if self._stage != _REST:
                self.drop(self._wifi.problem, now_ms)
            else:
                self._complain(self._wifi.problem)
            return False
        if self._timesync is not None:
            self._timesync.poll(now_ms)
        if self._failure:
            self.drop(self._failure, now_ms)
        if self._stage == _UP:
            if self.problem and now_ms - self._since_ms >= _STEADY_MS:
                self.problem = ""
            return True
        if self._stage == _REST:
            if now_ms >= self._retry_ms and self._may_begin():
                self._resolver.start()
                self._stage, self._since_ms = _FIND, now_ms
        elif self._stage == _FIND:
            address = self._resolver.poll(now_ms)
            if address is None:
                self.drop("%s has no address" % self._host, now_ms)
            elif address:
                self._begin(address, now_ms)
        elif self._is_through(now_ms):
            return True
        return False

    def readinto(self, buf):
        """Fill `buf` with what has arrived; returns the number of bytes, 0 for none."""
        if self._stage != _UP or self._failure:
            return 0
        try:
            count = self._stream.readinto(buf)
        except (OSError, ValueError) as error:
            return self._fail(error)
        if count == 0:
            self._failure = "the broker closed the connection"
        return count or 0

    def send(self, data):
        """Write, or keep what the connection does not take now. Only while `is_idle`."""
        self._rest = memoryview(data)
        self.flush()

    def flush(self):
        """Try to write what is left of the last `send`."""
        if self._rest is None or self._failure:
            return
        try:
            count = self._stream.write(self._rest) or 0
        except (OSError, ValueError) as error:
            self._fail(error)
            return
        self._rest = self._rest[count:] if count < len(self._rest) else None

    def wait(self, timeout_ms):
        """Sleep until bytes arrive or the time is over."""
        if self._stage == _UP and not self._failure:
            # While TLS wants to write, or the broker takes nothing, look again soon.
            self._poll.poll(timeout_ms if self._rest is None else min(timeout_ms, 5))
        else:
            time.sleep_ms(min(timeout_ms, 10))

    def drop(self, why, now_ms):
        """End the connection, and try again after a while. Args: why: in words."""
        if self._stage == _UP and now_ms - self._since_ms >= _STEADY_MS:
            self._delay_ms = FIRST_MS
        self._close()
        self._complain(why)
        # Drawn at random, or all the boards of a plant would come back in step.
        half = self._delay_ms // 2
        self._retry_ms = now_ms + half + int.from_bytes(os.urandom(2), "big") * half // 65536
        self._delay_ms = min(2 * self._delay_ms, LAST_MS)

    def take_time(self):
        """What a time server has told since the last call: (UTC in ms, the clock's ms then), or None."""
        return self._timesync.take() if self._timesync is not None else None

    def close(self):
        """End it for good."""
        self._close()

    def _may_begin(self):
        return self._context is None or self._timesync is None or self._timesync.is_known or self._timesync.has_tried

    def _begin(self, address, now_ms):
        self._since_ms = now_ms
        try:
            there = socket.getaddrinfo(address, self._port)[0][-1]  # of figures: nobody is asked
            self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self._socket.setblocking(False)
            self._poll = select.poll()
            self._stage = _CONNECT
            self._socket.connect(there)
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                self.drop("no connection to %s: %s" % (self._host, error), now_ms)
                return
        self._poll.register(self._socket, select.POLLOUT)

    def _is_through(self, now_ms):
        events = 0
        for ready in self._poll.ipoll(0):
            events = ready[1]
        if events & (select.POLLERR | select.POLLHUP):
            self.drop("%s refuses connections on port %d, or is not to be reached" % (self._host, self._port), now_ms)
        elif events & select.POLLOUT:
            return self._secure(now_ms)
        elif now_ms - self._since_ms >= _CONNECT_MS:
            self.drop("%s does not answer on port %d" % (self._host, self._port), now_ms)
        return False

    def _secure(self, now_ms):
        self._stream = self._socket
        if self._context is not None:
            try:
                # The handshake goes on as bytes are read and written.
                self._stream = self._context.wrap_socket(
                    self._socket, server_hostname=self._host, do_handshake_on_connect=False
                )
            except (OSError, ValueError) as error:
                self.drop("no TLS with %s: %s" % (self._host, error), now_ms)
                return False
        self._poll = select.poll()
        self._poll.register(self._stream, select.POLLIN)
        self._stage, self._since_ms = _UP, now_ms
        self.connections += 1
        return True

    def _fail(self, error):
        if error.errno not in (errno.EAGAIN, errno.EINPROGRESS) if isinstance(error, OSError) else True:
            # What is wrong with a certificate comes as several lines.
            reason = error.args[-1] if error.args else error
            if isinstance(reason, int):
                reason = getattr(errno, "errorcode", {}).get(reason, "error %d" % reason)
            reason = " ".join(str(reason).split())
            self._failure = "connection to %s: %s" % (self._host, reason)
        return 0

    def _close(self):
        for end in (self._stream, self._socket):
            if end is not None:
                try:
                    end.close()
                except OSError:
                    pass  # what is broken already cannot say goodbye
        self._stream = self._socket = self._poll = self._rest = None
        self._failure = ""
        self._stage = _REST

    def _complain(self, why):
        if why != self.problem:
            self.problem = why
            if why:
                self._say("mqtt: " + why)
