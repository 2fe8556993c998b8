"""SIGHUP: renewed certificates and the log's level are taken up, a broken configuration is not, and nothing ends."""

import shutil
import signal

import pytest

from tests.mosquitto import Mosquitto
from tests.support import certificates
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

pytestmark = pytest.mark.needs("mosquitto")


def test_bridge_with_renewed_certificates_takes_them_up_on_sighup_and_keeps_the_old_when_they_cannot_be(
    tmp_path, certs
):
    own = tmp_path / "own"
    own.mkdir()

    def install(name):
        shutil.copy(certs / f"{name}.pem", own / "gateway.pem")
        shutil.copy(certs / f"{name}.key", own / "gateway.key")

    install("stranger")
    with Mosquitto(tmp_path, whole=certificates.example(certs, tmp_path)) as broker:
        config, log = tmp_path / "gateway.toml", tmp_path / "bridge.log"
        settings = (
            f'[bridge]\nlog_level = "warning"\n[broker]\nurl = "mqtts://127.0.0.1:{broker.port}"\n'
            f'ca_file = "{certs}/ca.pem"\ncertificate_file = "{own}/gateway.pem"\nkey_file = "{own}/gateway.key"\n'
            f'backoff_first_s = 0.1\nbackoff_last_s = 0.2\n[[devices]]\nport = "{tmp_path}/none"\n'
        )
        config.write_text(settings)
        with BridgeProcess.of_config(config, log) as bridge:
            until(lambda: "our certificate" in log.read_text(), log.read_text)
            config.write_text("no = toml = at all")
            bridge.signal(signal.SIGHUP)
            until(lambda: "not reloaded: " in log.read_text(), log.read_text)
            config.write_text(settings.replace('"warning"', '"info"'))
            install("gateway")
            bridge.signal(signal.SIGHUP)
            until(lambda: "connected to broker" in log.read_text(), log.read_text)
            assert bridge.is_running
