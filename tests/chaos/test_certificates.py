"""Certificates change under a running bridge: renewed ones are found without a signal, a removed CA is refused."""

import json
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.mosquitto import Mosquitto
from tests.support import certificates
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

pytestmark = pytest.mark.needs("mosquitto")


class Gateway:
    """A bridge with files of its own, and Mosquitto as in the example."""

    def __init__(self, folder, certs, client, more=""):
        self.certs, self.own = certs, folder / "own"
        self.own.mkdir()
        self.install(client)
        shutil.copy(certs / "ca.pem", self.own)
        self.broker = Mosquitto(folder, whole=certificates.example(certs, folder))
        self.log_path, self.config, self.http = folder / "bridge.log", folder / "gateway.toml", free_port()
        self.config.write_text(
            f'[bridge]\nlog_level = "info"\n[broker]\nurl = "mqtts://127.0.0.1:{self.broker.port}"\n'
            f'ca_file = "{self.own}/ca.pem"\ncertificate_file = "{self.own}/gateway.pem"\n'
            f'key_file = "{self.own}/gateway.key"\nbackoff_first_s = 0.1\nbackoff_last_s = 0.2\n{more}\n'
            f'[http]\nlisten = "127.0.0.1:{self.http}"\n[[devices]]\nport = "{folder}/none"\n'
        )
        self.bridge = BridgeProcess.of_config(self.config, self.log_path)

    def install(self, name):
        shutil.copy(self.certs / f"{name}.key", self.own / "gateway.key")
        shutil.copy(self.certs / f"{name}.pem", self.own / "gateway.pem")

    def hear(self, words, start=0):
        until(lambda: words in self.log_path.read_text()[start:], self.log_path.read_text)

    def page(self, name):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.http}/{name}", timeout=5) as answer:
                return answer.read().decode()
        except urllib.error.HTTPError as error:  # healthz, when it is not well
            return error.read().decode()

    def __enter__(self):
        self.broker.start()
        self.bridge.start()
        return self

    def __exit__(self, *error):
        self.bridge.__exit__(*error)
        self.broker.stop()


def test_bridge_whose_certificate_is_renewed_connects_without_a_signal_and_tells_the_days_left(tmp_path, certs):
    with Gateway(tmp_path, certs, "stranger") as gateway:
        gateway.hear("the broker does not trust the CA of our certificate")
        gateway.install("gateway")
        gateway.hear("changed certificates are taken")
        gateway.hear("connected to broker")
        days_left = json.loads(gateway.page("healthz"))["certificates"]["days_left"]
        assert {name: round(days) for name, days in days_left.items()} == {"client": 825, "ca": 3650, "broker": 825}
        assert "kittiwake_clock_known 1.0\n" in gateway.page("metrics")
        for name in ("client", "ca", "broker"):
            assert f'kittiwake_certificate_days_left{{certificate="{name}"}} ' in gateway.page("metrics")


def test_bridge_whose_ca_was_removed_trusts_it_no_longer_after_a_reload(tmp_path, certs):
    with Gateway(tmp_path, certs, "gateway") as gateway:
        gateway.hear("connected to broker")
        shutil.copy(certs / "other-ca.pem", gateway.own / "ca.pem")
        gateway.bridge.signal(signal.SIGHUP)
        gateway.hear("reloaded: ")
        start = len(gateway.log_path.read_text())
        gateway.broker.restart()
        gateway.hear("is not signed by a CA in", start)


def test_bridge_whose_revocation_list_is_renewed_refuses_who_is_on_it_from_then_on(tmp_path):
    certs = certificates.make(tmp_path / "certificates")
    certificates.revoke(certs)
    with Gateway(tmp_path, certs, "gateway", f'crl_file = "{certs}/crl.pem"') as gateway:
        gateway.hear("connected to broker")
        certificates.revoke(certs, "broker")
        gateway.hear("changed certificates are taken")
        start = len(gateway.log_path.read_text())
        gateway.broker.restart()
        gateway.hear(f"the broker's certificate is revoked by {certs}/crl.pem; give the broker another", start)


def test_bridge_with_half_of_a_renewed_pair_stays_as_it_is_and_says_so(tmp_path, certs):
    with Gateway(tmp_path, certs, "gateway") as gateway:
        gateway.hear("connected to broker")
        shutil.copy(certs / "operator.pem", gateway.own / "gateway.pem")
        gateway.hear("changed certificates are not taken, the old stay: ")
        assert "certificate_file, key_file" in json.loads(gateway.page("healthz"))["certificates"]["problem"]
        start = len(gateway.log_path.read_text())
        gateway.broker.restart()
        gateway.hear("connected to broker", start)


def check(config):
    command = [sys.executable, "-m", "kittiwake", "bridge", "check", "-c", str(config)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if line.startswith("certificate")]


def test_check_says_when_each_certificate_ends_and_warns_of_the_past(tmp_path, certs):
    own = tmp_path / "copy"
    shutil.copytree(certs, own)
    config = tmp_path / "gateway.toml"
    certificates.sign(own, "past", "extendedKeyUsage=clientAuth", days=-1)

    def write(name, port):
        config.write_text(
            f'[broker]\nurl = "mqtts://127.0.0.1:{port}"\nca_file = "{own}/ca.pem"\n'
            f'certificate_file = "{own}/{name}.pem"\nkey_file = "{own}/{name}.key"\n[[devices]]\nport = "auto"\n'
        )

    def until_when(name, days):
        return f"until {certificates.end_of(own / f'{name}.pem')[1]}, {days} days left"

    with Mosquitto(tmp_path, whole=certificates.example(own, tmp_path)) as broker:
        write("gateway", broker.port)
        assert check(config) == [
            f"certificate ours: {until_when('gateway', 825)}",
            f"certificate the CA's: {until_when('ca', 3650)}",
            f"certificate the broker's: {until_when('broker', 825)}",
        ]
    write("past", broker.port)
    (ours, _, seen) = check(config)
    ended = certificates.end_of(own / "past.pem")[1]
    assert ours == f"certificate ours: expired on {ended}; warning: renew {own}/past.pem"
    assert seen == f"certificate the broker's: not seen now: 127.0.0.1:{broker.port}: nothing listens there; " + (
        "start the broker, or check broker.url"
    )
    with Mosquitto(tmp_path, whole=certificates.example(own, tmp_path, "expired")) as broker:
        write("gateway", broker.port)
        ended = certificates.end_of(own / "expired.pem")[1]
        assert f"certificate the broker's: expired on {ended}; warning: renew it on the broker" in check(config)
