"""The MQTT client refused, by TLS, by name or by nobody there, says why in one line; the right one gets through."""

import asyncio
import subprocess
import time

import paho.mqtt.client as paho
import pytest

from kittiwake.errors import ConfigError
from kittiwake.mqtt.callbacks import Callbacks
from kittiwake.mqtt.client import MqttClient
from kittiwake.mqtt.settings import BrokerSection
from tests.mosquitto import Mosquitto, refusing_subscriptions
from tests.support import certificates
from tests.support.mqtt import Note, connected
from tests.support.waiting import until_async

needs_mosquitto = pytest.mark.needs("mosquitto")


@pytest.fixture
def mosquitto(tmp_path):
    with Mosquitto(tmp_path) as broker:
        yield broker


@pytest.fixture
def secure(tmp_path, certs):
    with Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker:
        broker.url = f"mqtts://127.0.0.1:{broker.port}"
        yield broker


@needs_mosquitto
@pytest.mark.parametrize(("protocol", "reason"), [("5", "Not authorized"), ("3.1.1", "no reason given")])
def test_mqtt_client_whose_subscriptions_are_refused_names_them_and_stays_connected(tmp_path, caplog, protocol, reason):
    async def run(url):
        answers = []
        callbacks = Callbacks(on_subscribed=answers.append)
        async with connected(url, callbacks, protocol=protocol, subscriptions=("a/#", "b")) as client:
            await until_async(lambda: answers)
            assert client.is_connected and client.problem == ""
            return answers, client.subscriptions.refused

    with Mosquitto(tmp_path, refusing_subscriptions(tmp_path)) as broker:
        (answer,), refused = asyncio.run(run(broker.url))
    assert answer == refused and set(refused) == {"a/#", "b"}
    assert all(words.startswith(reason) for words in refused.values())
    assert sum("refuses the subscription to" in line for line in caplog.messages) == 2


@needs_mosquitto
def test_mqtt_client_refused_by_an_acl_is_told_under_mqtt_5(tmp_path):
    (tmp_path / "acl").write_text("topic write allowed\n")

    async def run(url):
        done = []
        async with connected(url, protocol="5") as client:
            client.publish("allowed", b"", 1, receipt=Note(done, "a"))
            client.publish("denied", b"", 1, receipt=Note(done, "d"))
            await until_async(lambda: len(done) == 2)
        assert done == ["a", ("d", "Not authorized")]

    with Mosquitto(tmp_path, f"acl_file {tmp_path}/acl") as broker:
        asyncio.run(run(broker.url))


@needs_mosquitto
def test_mqtt_client_with_a_certificate_gets_through_our_example(secure, certs):
    async def run():
        done = []
        settings = {"ca_file": f"{certs}/ca.pem", "certificate_file": f"{certs}/gateway.pem"}
        async with connected(secure.url, key_file=f"{certs}/gateway.key", **settings) as client:
            client.publish("kittiwake/dev/alert/0", b"{}", 1, receipt=Note(done, "kittiwake"))
            client.publish("elsewhere", b"{}", 1, receipt=Note(done, "elsewhere"))
            for number in range(200):
                client.publish("kittiwake/bulk", bytes(3000), 1, receipt=Note(done, number))
            await until_async(lambda: len(done) == 202)
        assert "kittiwake" in done and ("elsewhere", "Not authorized") in done

    asyncio.run(run())


def problem_of(url, **settings):
    async def run():
        async with connected(url, wait=False, **settings) as client:
            await until_async(lambda: client.problem)
            assert not client.is_connected
            return client.problem

    return asyncio.run(run())


@needs_mosquitto
@pytest.mark.parametrize(
    ("broker", "settings", "says"),
    [
        ("broker", {"ca_file": "other-ca.pem"}, "not signed by a CA in"),
        ("expired", {"ca_file": "ca.pem"}, "the broker's certificate expired on 20"),
        ("broker", {"ca_file": "ca.pem"}, "wants a client certificate"),
        (
            "broker",
            {"ca_file": "ca.pem", "certificate_file": "stranger.pem", "key_file": "stranger.key"},
            "our certificate",
        ),
        ("elsewhere", {"ca_file": "ca.pem"}, "is not for 127.0.0.1"),
    ],
    ids=["wrong CA", "expired", "no client certificate", "a stranger's certificate", "wrong host name"],
)
def test_mqtt_client_that_is_refused_says_which(tmp_path, certs, broker, settings, says):
    folder = certs
    if broker == "elsewhere":
        folder, broker = certificates.make(tmp_path / "elsewhere", "broker.example"), "broker"
    with Mosquitto(tmp_path, whole=certificates.example(folder, tmp_path, broker)) as server:
        files = {name: f"{folder}/{file}" for name, file in settings.items()}
        problem = problem_of(f"mqtts://127.0.0.1:{server.port}", **files)
    assert says in problem and "\n" not in problem


@needs_mosquitto
def test_client_without_a_certificate_gets_nowhere_on_our_example(secure, certs):
    # Any client, not ours: paho by itself, and with the CA's certificate alone.
    for ca in (None, f"{certs}/ca.pem"):
        got = []
        client = paho.Client(paho.CallbackAPIVersion.VERSION2, reconnect_on_failure=False)
        client.on_connect = lambda c, u, f, reason, p, got=got: got.append(reason)
        if ca:
            client.tls_set(ca)
        try:
            client.connect("127.0.0.1", secure.port)
            for _ in range(20):
                client.loop(0.1)
        except OSError:
            pass
        assert got == []


@needs_mosquitto
def test_mqtt_client_with_a_user_name_is_taken_and_refused(tmp_path):
    subprocess.run(["mosquitto_passwd", "-b", "-c", tmp_path / "users", "gw", "right"], check=True)
    (tmp_path / "users").chmod(0o644)
    (tmp_path / "secret").write_text("right\n")
    with Mosquitto(tmp_path, f"password_file {tmp_path}/users\nallow_anonymous false") as broker:

        async def run():
            async with connected(broker.url, username="gw", password_file=f"{tmp_path}/secret"):
                pass

        asyncio.run(run())
        (tmp_path / "secret").write_text("wrong\n")
        for protocol in ("5", "3.1.1"):
            problem = problem_of(broker.url, username="gw", password_file=f"{tmp_path}/secret", protocol=protocol)
            assert "refuses us" in problem and "password" in problem and "wrong" not in problem.split("check")[0]
        assert "takes no strangers" in problem_of(broker.url)


def test_mqtt_client_without_a_broker_says_so_and_backs_off():
    assert "nothing listens there" in problem_of("mqtt://127.0.0.1:1")
    assert "no such host name" in problem_of("mqtt://nowhere.invalid")


@needs_mosquitto
def test_mqtt_client_with_tls_to_a_plain_broker_says_so(mosquitto):
    assert "does not speak TLS" in problem_of(f"mqtts://127.0.0.1:{mosquitto.port}")


@pytest.mark.parametrize("name", ["ca_file", "certificate_file"])
def test_mqtt_client_with_a_file_that_is_no_certificate_names_the_setting(tmp_path, name):
    (tmp_path / "x").write_text("no certificate")

    async def run():
        files = {name: f"{tmp_path}/x"} | ({"key_file": f"{tmp_path}/x"} if name == "certificate_file" else {})
        MqttClient(BrokerSection(url="mqtts://h", **files), "c")

    with pytest.raises(ConfigError, match=f"broker.{name}"):
        asyncio.run(run())


@needs_mosquitto
@pytest.mark.parametrize(("expiry_s", "is_kept"), [(0, False), (3600, True)])
@pytest.mark.parametrize("protocol", ["5", "3.1.1"])
def test_mqtt_client_without_a_lasting_session_leaves_none_at_the_broker(mosquitto, protocol, expiry_s, is_kept):
    """Regression: every `kittiwake watch` left a session, in which the broker gathered messages for nobody."""

    async def run():
        settings = {"protocol": protocol, "session_expiry_s": expiry_s}
        async with connected(mosquitto.url, client_id="watcher", subscriptions=("a/#",), **settings):
            await asyncio.sleep(0.2)

    asyncio.run(run())
    assert is_session_present(mosquitto, "watcher", protocol) == is_kept


def is_session_present(broker, client_id, protocol):
    is_5 = protocol == "5"
    version = paho.MQTTv5 if is_5 else paho.MQTTv311
    kept = {} if is_5 else {"clean_session": False}
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id, protocol=version, **kept)
    answers = []
    client.on_connect = lambda client, data, flags, *_: answers.append(flags.session_present)
    client.connect("127.0.0.1", broker.port, **({"clean_start": False} if is_5 else {}))
    client.loop_start()
    deadline = time.monotonic() + 5
    while not answers and time.monotonic() < deadline:
        time.sleep(0.01)
    client.disconnect()
    client.loop_stop()
    return answers[0]
