"""The test certificates and the example configuration of deploy/mosquitto, put where a test wants them."""

import subprocess
from pathlib import Path

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "mosquitto"


def make(folder, *hosts):
    """Run the script; the certificates' folder."""
    done = subprocess.run(
        ["sh", str(DEPLOY / "make-test-certificates.sh"), str(folder), *hosts], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return Path(folder)


def example(folder, state, broker="broker"):
    """The example mosquitto.conf with its places replaced: certificates in `folder`, state in `state`, any port."""
    text = (DEPLOY / "kittiwake.conf").read_text()
    for place, there in (
        ("/etc/mosquitto/kittiwake/acl", f"{DEPLOY}/acl"),
        ("/etc/mosquitto/kittiwake/broker", f"{folder}/{broker}"),
        ("/etc/mosquitto/kittiwake", str(folder)),
        ("/var/lib/mosquitto/", f"{state}/"),
        ("listener 8883", "listener PORT 127.0.0.1"),
    ):
        assert place in text
        text = text.replace(place, there)
    return text
