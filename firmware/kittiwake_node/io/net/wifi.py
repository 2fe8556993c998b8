"""Wi-Fi: keeps a station joined to one network, without waiting. Knows `network.WLAN`, not who uses the network."""

_AGAIN_MS = 20000  # joining takes some seconds; a driver that has not by then is told anew


class Wifi:
    """One station.

    Args:
        wlan: a network.WLAN of the station's kind, or the like.
        ssid: the network's name.
        password: "" for an open network.

    Attributes:
        problem: why there is no network, "" while there is.
    """

    def __init__(self, wlan, ssid, password):
        self._wlan = wlan
        self._ssid = ssid
        self._password = password
        self._told_ms = None
        self.problem = "Wi-Fi is not joined yet"

    def poll(self, now_ms):
        """Whether there is a network; joins it where there is none. Call every turn."""
        try:
            if self._wlan.isconnected():
                self._told_ms = None
                self.problem = ""
                return True
            if self._told_ms is None or now_ms - self._told_ms >= _AGAIN_MS:
                self.problem = "Wi-Fi %s is not joined" % self._ssid
                again, self._told_ms = self._told_ms is not None, now_ms
                if again:
                    self._wlan.disconnect()
                self._wlan.active(True)
                self._wlan.connect(self._ssid, self._password or None)
        except OSError as error:
            self._told_ms = now_ms
            self.problem = "Wi-Fi %s: the driver answered %s" % (self._ssid, error)
        return False

    def dns_server(self):
        """(address, port) of the DNS server that the network named."""
        return self._wlan.ifconfig()[3], 53


def make(ssid, password, host_name):
    """A Wifi of this board's station. Raises ImportError on a board without one."""
    import network

    network.hostname(host_name[:32])
    return Wifi(network.WLAN(network.STA_IF), ssid, password)
