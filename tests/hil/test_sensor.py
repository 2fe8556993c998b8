"""An emulated sensor: a TMP105 on an I2C bus of the Cortex-M3 board, its temperature set from outside over QMP."""

import pytest

from kittiwake.demo import audit
from kittiwake.demo.ledger import LedgerProcess
from kittiwake.demo.pipeline import follow
from kittiwake.errors import TargetError
from kittiwake.target import open_target
from tests.mosquitto import Mosquitto
from tests.support.processes import BridgeProcess
from tests.support.waiting import until

NAME = "qemu:mps2-an385"
WAIT_S = 40
BUS = {"kind": "sbcon", "base": 0x4002A000}
CHANNEL = {
    "name": "temperature",
    "sensor_id": "tmp105-1",
    "unit": "°C",
    "scale": "1/16",
    "rate_hz": 20,
    "summary_samples": 20,
    "source": {"kind": "tmp105", "address": 0x48, "i2c": BUS},
    "detectors": [{"kind": "zscore", "n": 20, "t": "5/2"}],
}


@pytest.fixture
def sensor_board():
    with open_target(NAME, arguments=["-device", "tmp105,id=sensor,address=0x48"]) as board:
        yield board


def set_temperature(board, millidegrees):
    board.qmp("qom-set", path="/machine/peripheral/sensor", property="temperature", value=millidegrees)


def bodies(path):
    ledger = audit.Ledger()
    for arrival in follow(path):
        ledger.take(arrival)
    return [body for _, body in sorted(ledger.records.items())]


@pytest.mark.needs("mosquitto")
@pytest.mark.board(NAME)
def test_sensor_temperature_jump_from_outside_arrives_at_the_broker_as_an_alert(sensor_board, target_name, tmp_path):
    def wait_for(what, condition):
        def first():
            sensor_board.check_running()
            return next(filter(condition, bodies(witness.path)), None)

        return until(first, lambda: f"a {what}: {bodies(witness.path)[-4:]}", WAIT_S, 0.05)

    set_temperature(sensor_board, 21500)
    with (
        Mosquitto(tmp_path) as broker,
        LedgerProcess(broker.url, ["kittiwake/#"], tmp_path / "ledger.jsonl") as witness,
        BridgeProcess(sensor_board.link_port, broker.url),
    ):
        sensor_board.run_node({"device": "kw-sensor", "commit_ms": 100, "channels": [CHANNEL]})
        # A whole second at rest, so that the detector's window is full of it.
        rest = wait_for("summary at rest", lambda b: b.get("low") == b.get("high") == 21.5)
        assert (rest["unit"], rest["sensor_id"], rest["mean"], rest["stdev"]) == ("°C", "tmp105-1", 21.5, 0.0)
        assert not [body for body in bodies(witness.path) if body.get("anomaly")]
        set_temperature(sensor_board, 58250)
        alert = wait_for("alert", lambda b: b.get("anomaly"))
    assert (alert["value"], alert["unit"], alert["sensor_id"]) == (58.25, "°C", "tmp105-1")
    # Nineteen at 21.5 and one at 58.25: (n - 1)/sqrt(n).
    assert alert["z_score"] == 4.25
    assert alert["ts"] is not None


@pytest.mark.board(NAME)
def test_sensor_that_is_not_there_is_told_with_its_address(target_name, sensor_board):
    channel = {**CHANNEL, "source": {**CHANNEL["source"], "address": 0x4F}}
    sensor_board.run_node({"device": "kw-sensor", "channels": [channel]})
    with pytest.raises(TargetError, match="no TMP105 answers at address 79"):
        until(sensor_board.check_running, "the node's end", WAIT_S)
