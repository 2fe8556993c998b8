"""The whole stack on loopback: broker, device, every process of ours, exporter, Prometheus, Alertmanager."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import threading
import time
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from kittiwake.rollout.members import State
from kittiwake.rollout.plan import Plan
from kittiwake.rollout.store import RolloutStore
from kittiwake_node.link import anomaly, payload
from kittiwake_node.link import record as rec
from tests.mosquitto import Mosquitto
from tests.serve import models
from tests.support import certificates
from tests.support.free_ports import free_port
from tests.support.processes import BridgeProcess, dying_with_us
from tools import system
from tools.devices import Device
from tools.virtual_ports import PtyPort

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "observability"
HEALTH = dict.fromkeys(payload.HEALTH_FIELDS, 1) | {"journal_bytes": 10, "journal_limit_bytes": 100}
HEALTH |= {"storage_state": 0, "microphone_state": 1, "evicted_alert": 0}
RULE = '[[decide.rules]]\nname = "worn"\nmodel = "detector"\nfeatures = ["n", "mean", "low", "high"]\n'
CARD = "".join(f'[[features]]\nname = "f{n}"\nmean = 0.0\nstdev = 1.0\nlow = -3.0\nhigh = 3.0\n' for n in range(4))


class Receiver:
    """What Alertmanager tells: (alert, state) in the order in which it came."""

    def __init__(self):
        self.notices = []
        notices = self.notices

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                notices.extend((alert["labels"]["alertname"], alert["status"]) for alert in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class Stack:
    """Starts on `start`, inside a running loop; everything ends on `stop`.

    Every second is a scrape, and alerts wait three seconds: one scrape that fails on a busy machine raises none.
    """

    def __init__(self, folder, certs):
        self.folder, self.own = Path(folder), Path(folder) / "own"
        self.own.mkdir()
        for name in ("ca.pem", "ca.key", "gateway.pem", "gateway.key"):
            shutil.copy(certs / name, self.own / name)
        certificates.sign(self.own, "soon", "extendedKeyUsage=clientAuth\n", days=5, common_name="gateway")
        self.install("gateway")
        self.broker = Mosquitto(self.folder, whole=certificates.example(certs, self.folder))
        self.device = Device("press-7", PtyPort(f"{folder}/tty"))
        names = ("bridge", "history", "decide", "serve", "window", "rollout", "node", "prometheus", "alertmanager")
        self.ports = {name: free_port() for name in names}
        self.receiver = Receiver()
        self.processes = {}
        self._write()
        self.bridge = BridgeProcess.of_config(self.folder / "gateway.toml", self.folder / "bridge.log")

    def install(self, name):
        """Put a certificate where the bridge's is."""
        for suffix in ("key", "pem"):
            shutil.copy(self.own / f"{name}.{suffix}", self.own / f"client.{suffix}.new")
            (self.own / f"client.{suffix}.new").replace(self.own / f"client.{suffix}")

    def _write(self):
        def broker(name):
            return (
                f'[broker]\nurl = "mqtts://127.0.0.1:{self.broker.port}"\nca_file = "{self.own}/ca.pem"\n'
                f'certificate_file = "{self.own}/{name}.pem"\nkey_file = "{self.own}/{name}.key"\n'
                "backoff_first_s = 0.1\nbackoff_last_s = 0.2\n"
            )

        (self.folder / "gateway.toml").write_text(
            f'{broker("client")}[http]\nlisten = "127.0.0.1:{self.ports["bridge"]}"\n'
            f'[[devices]]\nport = "{self.device.port.url}"\n'
            f'[decide]\nmodels = "{self.folder}/models"\nlisten = "127.0.0.1:{self.ports["decide"]}"\n{RULE}'
        )
        (self.folder / "history.toml").write_text(
            f'{broker("gateway")}client_id = "history"\n[http]\nlisten = "127.0.0.1:{self.ports["history"]}"\n'
            f'[history]\ndatabase = "{self.folder}/history.sqlite"\n'
        )
        (self.folder / "models").mkdir()
        models.put(self.folder / "models" / "detector.onnx", models.classifier())
        (self.folder / "models" / "detector.toml").write_text(CARD)
        with RolloutStore(self.folder / "rollouts.sqlite") as store:
            kept = store.begin(Plan("press-1.4.kwu", "1.4", 7, (("press-7",),)), time.time_ns() // 1_000_000)
            store.ask(kept.id, State.PAUSED)  # nothing is offered to the device
        shutil.copytree(DEPLOY / "rules", self.folder / "rules")
        alerts = self.folder / "rules" / "alerts.yml"
        alerts.write_text(re.sub(r"for: \d+m", "for: 3s", alerts.read_text()))
        text = (DEPLOY / "prometheus.yml").read_text().replace("evaluation_interval: 15s", "evaluation_interval: 500ms")
        text = text.replace("scrape_interval: 15s", "scrape_interval: 1s")
        for port, name in (
            (9108, "bridge"),
            (9109, "history"),
            (9110, "decide"),
            (8080, "serve"),
            (9111, "window"),
            (9112, "rollout"),
            (9100, "node"),
            (9093, "alertmanager"),
        ):
            assert f":{port}" in text
            text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{self.ports[name]}")
        (self.folder / "prometheus.yml").write_text(text)
        text = (DEPLOY / "alertmanager.yml").read_text().replace("127.0.0.1:9095", f"127.0.0.1:{self.receiver.port}")
        text = re.sub(r"group_(wait|interval): \w+", r"group_\1: 100ms", text)
        (self.folder / "alertmanager.yml").write_text(text)
        # A machine in a test has no sensor of its own.
        (self.folder / "textfile").mkdir()
        (self.folder / "textfile" / "t.prom").write_text('node_hwmon_temp_celsius{chip="c",sensor="temp1"} 41\n')

    def _run(self, name, *command):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.processes[name] = subprocess.Popen(dying_with_us(list(command)), stdout=log, stderr=log)

    async def start(self):
        """Start everything."""
        here = {name: f"127.0.0.1:{port}" for name, port in self.ports.items()}
        await asyncio.to_thread(self.broker.start)
        self.device.start()
        self.bridge.start()
        kittiwake = (sys.executable, "-m", "kittiwake")
        self._run("history", *kittiwake, "history", "run", "-c", str(self.folder / "history.toml"))
        self._run("serve", *kittiwake, "serve", str(self.folder / "models"), "--listen", here["serve"])
        gateway = ("-c", str(self.folder / "gateway.toml"))
        self._run("decide", *kittiwake, "decide", *gateway)
        own = ("--listen", "127.0.0.1:0", "--notes", str(self.folder / "notes.sqlite"), "--metrics", here["window"])
        self._run("window", *kittiwake, "window", *gateway, *own)
        rollouts = ("--rollouts", str(self.folder / "rollouts.sqlite"), "--metrics", here["rollout"])
        self._run("rollout", *kittiwake, "rollout", "run", *gateway, *rollouts)
        self._run(
            "node",
            system.find("prometheus-node-exporter"),
            f"--web.listen-address={here['node']}",
            f"--collector.textfile.directory={self.folder}/textfile",
        )
        self._run(
            "prometheus",
            system.find("prometheus"),
            f"--config.file={self.folder}/prometheus.yml",
            f"--storage.tsdb.path={self.folder}/tsdb",
            f"--web.listen-address={here['prometheus']}",
        )
        self._run(
            "alertmanager",
            system.find("prometheus-alertmanager"),
            f"--config.file={self.folder}/alertmanager.yml",
            f"--storage.path={self.folder}/alertmanager",
            f"--web.listen-address={here['alertmanager']}",
            "--cluster.listen-address=",
        )

    def stop(self):
        """End everything."""
        if self.processes and self.bridge.is_running:
            self.bridge.kill()
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.device.stop()
        self.broker.stop()
        self.receiver.close()

    def log(self):
        """What all of them said last."""
        return "\n".join(f"{path.name}: {path.read_text()[-800:]}" for path in self.folder.glob("*.log"))

    async def query(self, expression):
        """Prometheus's answer: the list of series."""
        return await asyncio.to_thread(self._query, expression)

    def _query(self, expression):
        text = urllib.parse.urlencode({"query": expression})
        url = f"http://127.0.0.1:{self.ports['prometheus']}/api/v1/query?{text}"
        with urllib.request.urlopen(url, timeout=10) as reply:
            return json.load(reply)["data"]["result"]

    async def firing(self):
        """Names of the alerts that Prometheus has raised."""
        return {series["metric"]["alertname"] for series in await self.query('ALERTS{alertstate="firing"}')}

    async def is_calm(self):
        """No alert is raised, everything is scraped, and that stays so for a while."""
        for _ in range(3):
            if await self.firing() or len(await self.query('up{job=~"kittiwake-.*"} == 1')) != 6:
                return False
            await asyncio.sleep(0.5)
        return True

    async def until(self, condition, what, seconds=20):
        """Wait for a coroutine to give something true."""
        end = time.monotonic() + seconds
        while True:
            try:
                answer = await condition()
            except OSError as error:
                answer = None
                what = f"{what}: {error}"
            if answer:
                return answer
            assert time.monotonic() < end, f"{what}\n{self.log()}"
            await asyncio.sleep(0.1)

    def journal_health(self, **changes):
        """The device journals a health record."""
        self.device.add(rec.HEALTH, payload.pack_health(HEALTH | changes))

    def journal_one_of_each(self):
        """The device journals a record of each kind that dashboards show."""
        self.device.add(rec.READING, payload.pack_reading(421, 9))
        self.device.add(rec.SUMMARY, payload.pack_summary(5, 400, 410, 0, 2020, 816100, 5, 0))
        self.device.add(rec.KEYWORD, payload.pack_keyword(0, "okay_nabu", 5, 1242, 1241, 16000))
        spike = anomaly.pack_anomaly(anomaly.ZSCORE, 0, 20, 1000, 420, 1000, 8980, 4351600, 1234, 5, 2)
        self.device.add(rec.ANOMALY, spike, cls=rec.ALERT)

    def figures(self, name):
        """What a process's /metrics says."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[name]}/metrics", timeout=10) as reply:
            return reply.read()

    def ask_model(self):
        """One request to the model."""
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.ports['serve']}/predict", b'{"features": [1, 0, 0, 0]}', {}
        )
        with urllib.request.urlopen(request, timeout=10) as reply:
            return json.load(reply)
