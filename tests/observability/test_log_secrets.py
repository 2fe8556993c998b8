"""Secrets are planted wherever a gateway takes them, and used rightly and wrongly: no log says any of them."""

import base64
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request

import pytest

from tests.mosquitto import Mosquitto
from tests.serve import models
from tests.support.free_ports import free_port
from tests.support.processes import dying_with_us
from tests.support.waiting import until
from tools import system

pytestmark = pytest.mark.needs("mosquitto")

# Long and of no words, so that nothing else has them by chance.
SECRETS = {
    name: f"{name}-Zq7vX1kPw93"
    for name in ("password", "wrong", "environment", "database", "key", "token", "renewed", "guessed")
}
RULE = '[[decide.rules]]\nname = "worn"\nmodel = "detector"\nfeatures = ["n", "mean", "low", "high"]\n'


def leaks(text):
    """The secrets that a text says, whole, as base64 or as a URL would have them."""
    return [
        name
        for name, secret in SECRETS.items()
        if secret in text or base64.b64encode(secret.encode()).decode().rstrip("=") in text
    ]


def test_leaks_are_noticed_as_they_are_and_in_base64():
    assert leaks(f"password={SECRETS['password']}") == ["password"]
    assert leaks("nothing of the kind") == []
    assert leaks("a2V5LVpxN3ZYMWtQdzkz") == ["key"]


class Processes:
    """Commands whose output goes to one file each."""

    def __init__(self, folder):
        self.folder, self.started = folder, {}

    def start(self, name, *arguments, **environment):
        with open(self.folder / f"{name}.log", "wb") as log:
            self.started[name] = subprocess.Popen(
                dying_with_us([sys.executable, "-m", "kittiwake", *arguments]),
                stdout=log,
                stderr=log,
                env=os.environ | environment,
            )

    def log(self, name):
        return (self.folder / f"{name}.log").read_text()

    def says(self, name, words):
        until(lambda: re.search(words, self.log(name)), lambda: f"{name}: {self.log(name)}", 30)

    def stop(self):
        for process in self.started.values():
            process.terminate()
        for process in self.started.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(20)
            process.kill()


@pytest.fixture
def site(tmp_path, certs):
    """A broker that knows one password, configurations with it, and what runs."""
    users = tmp_path / "users"
    for name in ("bridge", "other"):
        new = [] if users.exists() else ["-c"]
        command = [system.find("mosquitto_passwd") or "mosquitto_passwd", "-b", *new, users, name, SECRETS["password"]]
        subprocess.run(command, check=True, capture_output=True)
    users.chmod(0o644)
    (tmp_path / "password").write_text(SECRETS["password"] + "\n")
    (tmp_path / "models").mkdir()
    models.put(tmp_path / "models" / "detector.onnx", models.classifier())
    encrypted = ["openssl", "pkey", "-aes256", "-passout", f"pass:{SECRETS['key']}", "-in", certs / "gateway.key"]
    subprocess.run([*encrypted, "-out", tmp_path / "encrypted.key"], check=True, capture_output=True)
    (tmp_path / "key-password").write_text(SECRETS["key"] + "\n")
    (tmp_path / "token").write_text(SECRETS["token"] + "\n")
    processes = Processes(tmp_path)
    with Mosquitto(
        tmp_path, whole=f"listener PORT 127.0.0.1\nallow_anonymous false\npassword_file {users}\n"
    ) as broker:
        broker_lines = f'[broker]\nurl = "{broker.url}"\nusername = "bridge"\npassword_file = "{tmp_path}/password"\n'
        broker_lines += "backoff_first_s = 0.1\nbackoff_last_s = 0.2\n"
        keyed = f'certificate_file = "{certs}/gateway.pem"\nkey_file = "{tmp_path}/encrypted.key"\n'
        keyed += f'key_password_file = "{tmp_path}/key-password"\nca_file = "{certs}/ca.pem"\n'
        log = '[bridge]\nlog = "json"\nlog_level = "debug"\n[[devices]]\nport = "/dev/none"\n'
        decide = f'[decide]\nmodels = "{tmp_path}/models"\n{RULE}'
        (tmp_path / "gateway.toml").write_text(broker_lines + log + decide)
        (tmp_path / "keyed.toml").write_text(broker_lines.replace("mqtt://", "mqtts://") + keyed + log)
        (tmp_path / "history.toml").write_text(broker_lines + f'[history]\ndatabase = "{tmp_path}/history.sqlite"\n')
        try:
            yield processes
        finally:
            processes.stop()


def test_log_of_a_gateway_says_no_password_be_it_right_or_wrong(site, tmp_path):
    gateway, history = str(tmp_path / "gateway.toml"), str(tmp_path / "history.toml")
    site.start("bridge", "bridge", "-c", gateway)
    site.start("decide", "decide", "-c", gateway)
    site.start("history", "history", "run", "-c", history)
    site.start("by-environment", "history", "run", "-c", history, KITTIWAKE_BROKER__PASSWORD=SECRETS["environment"])
    for name in ("bridge", "decide"):
        site.says(name, "broker.connected")
    site.says("history", "connected to broker")
    (tmp_path / "password").write_text(SECRETS["wrong"] + "\n")
    for name in ("late-bridge", "late-history"):
        verb = ["bridge", "-c", gateway] if name == "late-bridge" else ["history", "run", "-c", history]
        site.start(name, *verb, KITTIWAKE_BROKER__CLIENT_ID=name)
        site.says(name, "(?i)not authori|password|refuse")
    site.started["bridge"].send_signal(signal.SIGHUP)
    # The key is read and used, though the broker speaks no TLS; then its password is another one.
    site.start("key", "bridge", "-c", str(tmp_path / "keyed.toml"))
    site.says("key", "broker.away")
    (tmp_path / "key-password").write_text(SECRETS["wrong"] + "\n")
    site.start("late-key", "bridge", "-c", str(tmp_path / "keyed.toml"))
    site.says("late-key", "key")
    # A password where none belongs, and one that a library would put into its complaint.
    site.start("url", "bridge", "--broker", f"mqtt://bridge:{SECRETS['wrong']}@127.0.0.1:1", "--port", "/dev/none")
    address = f"postgresql://kittiwake:{SECRETS['database']}@127.0.0.1:{free_port()}/history"
    site.start("database", "history", "run", "--database", address, "-c", history)
    site.started["url"].wait(30)
    time.sleep(2)
    site.stop()
    found = {name: leaks(site.log(name)) for name in site.started}
    assert all(site.log(name) for name in site.started)
    assert found == dict.fromkeys(site.started, [])


def test_log_of_an_inference_service_says_no_token_neither_its_own_nor_a_guessed_one(site, tmp_path):
    port = free_port()
    (tmp_path / "serve.toml").write_text('[serve]\nlog = "json"\nlog_level = "debug"\nscan_s = 0.05\n')
    options = ["-c", str(tmp_path / "serve.toml"), "--listen", f"127.0.0.1:{port}"]
    site.start("serve", "serve", str(tmp_path / "models"), *options, "--token-file", str(tmp_path / "token"))
    site.says("serve", "models of")

    def ask(secret):
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/predict",
            json.dumps({"features": [1, 2, 3, 4]}).encode(),
            {"Authorization": f"Bearer {secret}"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as reply:
                return reply.status
        except urllib.error.HTTPError as error:
            return error.code

    assert ask(SECRETS["token"]) == 200
    assert ask(SECRETS["guessed"]) == 401
    (tmp_path / "token").write_text(SECRETS["renewed"] + "\n")
    until(lambda: ask(SECRETS["renewed"]) == 200, "the renewed token", 10)
    assert ask(SECRETS["token"]) == 401
    site.stop()
    assert "request.refused" in site.log("serve") and leaks(site.log("serve")) == []
