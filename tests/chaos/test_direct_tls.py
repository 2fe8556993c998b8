"""A board that speaks MQTT itself over mutual TLS: who takes whom, and which file is missing."""

import pytest

from kittiwake.config import credentials
from kittiwake.deploy import provision
from kittiwake.errors import TargetError
from kittiwake.target.unix import UnixTarget
from tests.chaos.direct import DEVICE, wait
from tests.mosquitto import Mosquitto
from tests.support import certificates

pytestmark = pytest.mark.needs("mosquitto")


def test_direct_without_its_password_or_its_authority_says_which_file_is_missing(tmp_path):
    for mqtt, told in (
        ({"url": "mqtt://localhost", "username": "me", "password_file": "nowhere"}, "nowhere cannot be read"),
        ({"url": "mqtts://localhost", "ca_file": "nowhere"}, "certificates cannot be read"),
    ):
        with UnixTarget(work_dir=tmp_path / told[:5]) as board:
            board.run_node({"link": "mqtt", "mqtt": mqtt, "channels": [{"source": {"kind": "link"}}]})
            with pytest.raises(TargetError, match=told):
                wait(board, lambda: False, "end of the node")


def test_direct_over_mutual_tls_with_what_was_provisioned(tmp_path, certs):
    with Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker:
        made = credentials.certificates(certs / "ca.pem", certs / "gateway.pem", certs / "gateway.key")
        settings = {("device", ""): "kw-own", ("mqtt", "url"): f"mqtts://localhost:{broker.port}"}
        with UnixTarget(work_dir=tmp_path / "board") as board:
            provision.write(board, provision.Own(settings, {("mqtt", name): made[name] for name in made}))
            shared = {"device": "fleet", "link": "mqtt", "mqtt": {"url": "mqtt://elsewhere"}}
            board.run_node({**shared, "channels": [{"source": {"kind": "link"}}]})
            log = tmp_path / "mosquitto.log"
            wait(board, lambda: "as kittiwake-kw-own" in log.read_text(), "connection")


@pytest.mark.parametrize(
    ("broker_has", "board_has", "told"),
    [
        ("broker", "gateway", ""),
        ("broker", "wrong-ca", "not correctly signed by the trusted CA"),
        ("expired", "gateway", "validity has expired"),
        ("elsewhere", "gateway", "(CN) does not match"),
        ("broker", "nothing", "mqtt: connection to localhost: "),
        ("broker", "stranger", "mqtt: connection to localhost: "),
        # What stock MicroPython does not do: no revocation list, and a CN is taken where there is no SAN.
        ("cn-only", "gateway", ""),
    ],
)
def test_direct_over_mutual_tls_takes_and_is_taken_by_the_right_one_only(tmp_path, certs, broker_has, board_has, told):
    folder, name = certs, broker_has
    if broker_has == "cn-only":
        folder = certificates.make(tmp_path / "cn-only")
        certificates.sign(folder, "cn-only", "extendedKeyUsage=serverAuth", common_name="localhost")
    if broker_has == "elsewhere":
        folder, name = certificates.make(tmp_path / "elsewhere", "broker.example"), "broker"
    with Mosquitto(tmp_path, whole=certificates.example(folder, tmp_path, name)) as broker:
        mqtt = {"url": f"mqtts://localhost:{broker.port}", "keepalive_s": 5}
        mqtt["ca_file"] = str(folder / ("other-ca.pem" if board_has == "wrong-ca" else "ca.pem"))
        if board_has != "nothing":
            ours = "stranger" if board_has == "stranger" else "gateway"
            mqtt |= {"certificate_file": str(folder / f"{ours}.pem"), "key_file": str(folder / f"{ours}.key")}
        with UnixTarget(work_dir=tmp_path / "board") as board:
            source = {"kind": "link"}
            board.run_node({"device": DEVICE, "link": "mqtt", "mqtt": mqtt, "channels": [{"source": source}]})
            log = tmp_path / "mosquitto.log"
            if told:
                wait(board, lambda: told in board.log_path.read_text(), f"complaint with {told}")
                assert f"as kittiwake-{DEVICE}" not in log.read_text()
            else:
                wait(board, lambda: f"as kittiwake-{DEVICE}" in log.read_text(), "connection")
                assert board.log_path.read_text() in ("", f"kittiwake: {DEVICE} runs\n")  # and no complaint


def test_tls_of_stock_micropython_knows_no_revocation_list():
    # Should a later one know it, this fails, and the bridge's crl_file can have its like on the board.
    with UnixTarget() as board:
        printed = board.exec("import ssl\nprint(*dir(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)))")
    names = set(printed.split())
    assert {"load_verify_locations", "verify_mode"} <= names
    assert not [name for name in names if "crl" in name.lower() or name == "verify_flags"]


def test_direct_with_a_revocation_list_among_its_authorities_refuses_to_start_rather_than_pass_it_over(tmp_path, certs):
    folder = certificates.make(tmp_path / "own")
    mixed = tmp_path / "mixed.pem"
    mixed.write_text((folder / "ca.pem").read_text() + certificates.revoke(folder, "broker").read_text())
    with UnixTarget(work_dir=tmp_path / "board") as board:
        mqtt = {"url": "mqtts://localhost", "ca_file": str(mixed)}
        board.run_node({"link": "mqtt", "mqtt": mqtt, "channels": [{"source": {"kind": "link"}}]})
        with pytest.raises(TargetError, match="certificates cannot be read"):
            wait(board, lambda: False, "end of the node")
