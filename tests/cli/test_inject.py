"""`kittiwake inject`: samples into a node by way of its bridge, also over TLS; one line for what a broker refuses."""

import subprocess
import sys

import pytest

from kittiwake.target.unix import UnixTarget
from tests.mosquitto import Mosquitto, refusing_subscriptions
from tests.support import certificates
from tests.support.processes import BridgeProcess

needs_mosquitto = pytest.mark.needs("mosquitto")
COUNT = 600


@pytest.fixture
def series(tmp_path):
    path = tmp_path / "samples.csv"
    path.write_text("t,x\n" + "".join(f"{number},{number % 50}\n" for number in range(COUNT)))
    return path


def inject(series, *arguments, seconds=60):
    command = [sys.executable, "-m", "kittiwake", "inject", str(series), "--column", "x", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds)
    return done.returncode, done.stdout, done.stderr


def configuration(folder, url, user="", certs=None, port="/dev/ttyS0", protocol="5"):
    """A gateway's configuration, as `user` of the example's certificates where one is named."""
    files = {"ca_file": "ca.pem", "certificate_file": f"{user}.pem", "key_file": f"{user}.key"} if user else {}
    lines = [
        f'url = "{url}"',
        f'protocol = "{protocol}"',
        *(f'{name} = "{certs}/{file}"' for name, file in files.items()),
    ]
    path = folder / f"{user or 'gateway'}-{protocol}.toml"
    path.write_text("[broker]\n" + "\n".join(lines) + f'\n[[devices]]\nport = "{port}"\n')
    return path


@needs_mosquitto
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_inject_by_a_gateways_configuration_goes_over_tls(tmp_path, certs, series, protocol):
    node = {"device": "kw-fed", "channels": [{"name": "x", "source": {"kind": "link"}}]}
    with (
        Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker,
        UnixTarget(work_dir=tmp_path / "board") as board,
    ):
        url = broker.url.replace("mqtt://", "mqtts://")
        gateway = configuration(tmp_path, url, "gateway", certs, board.link_port)
        operator = configuration(tmp_path, url, "operator", certs, protocol=protocol)
        with BridgeProcess.of_config(gateway, tmp_path / "log"):
            board.run_node(node)
            code, words, errors = inject(series, "--device", "kw-fed", "-c", str(operator))
    assert (code, words, errors) == (0, f"kw-fed has taken {COUNT} samples\n", "")


@needs_mosquitto
def test_inject_as_somebody_who_may_not_command_says_so(tmp_path, certs, series):
    with Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker:
        dashboard = configuration(tmp_path, broker.url.replace("mqtt://", "mqtts://"), "dashboard", certs)
        code, _, errors = inject(series, "--device", "kw-fed", "-c", str(dashboard))
    assert (
        code == 1 and "the broker refuses commands on kittiwake/kw-fed/cmd: Not authorized" in errors.splitlines()[-1]
    )


@needs_mosquitto
def test_inject_whose_subscription_is_refused_says_so(tmp_path, series):
    with Mosquitto(tmp_path, refusing_subscriptions(tmp_path)) as broker:
        code, _, errors = inject(series, "--device", "kw-fed", "-c", str(configuration(tmp_path, broker.url)))
    assert code == 1
    assert "refuses the subscription to kittiwake/kw-fed/resp: Not authorized" in errors.splitlines()[-1]


@needs_mosquitto
def test_inject_with_a_ca_that_did_not_sign_the_brokers_certificate_says_so(tmp_path, certs, series):
    with Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker:
        config = configuration(tmp_path, broker.url.replace("mqtt://", "mqtts://"), "operator", certs)
        config.write_text(config.read_text().replace("/ca.pem", "/other-ca.pem"))
        code, _, errors = inject(series, "--device", "kw-fed", "-c", str(config))
    assert code == 1 and "not signed by a CA in" in errors.splitlines()[-1]


@pytest.mark.parametrize("arguments", [("--broker", "mqtt://127.0.0.1:1"), ()])
def test_inject_without_a_broker_ends_with_one_line(tmp_path, series, arguments):
    more = arguments or ("-c", str(configuration(tmp_path, "mqtt://127.0.0.1:1")))
    code, _, errors = inject(series, "--device", "kw-fed", *more)
    assert code == 1 and "nothing listens there" in errors.splitlines()[-1]


def test_inject_with_a_configuration_that_is_none_ends_with_one_line(tmp_path, series):
    code, _, errors = inject(series, "--device", "kw-fed", "-c", str(tmp_path / "none.toml"))
    assert code == 2 and len(errors.splitlines()) == 1
