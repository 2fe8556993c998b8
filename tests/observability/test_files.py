"""The files of deploy/observability: Prometheus's and Alertmanager's own checks, which notice what is wrong."""

import json
import re
import shutil
import subprocess

import pytest
import yaml

from tests.observability.stack import DEPLOY
from tests.support.hil import SOAK
from tools import system

ROOT = DEPLOY.parents[1]
ALERTS = re.findall(r"- alert: (\w+)", (DEPLOY / "rules" / "alerts.yml").read_text())

TESTS = ("rules/tests-devices.yml", "rules/tests-gateway.yml")


def run(program, *arguments, cwd=DEPLOY):
    return subprocess.run([system.find(program), *arguments], cwd=cwd, capture_output=True, text=True, timeout=60)


@pytest.mark.needs("promtool")
def test_configuration_and_rules_please_promtool():
    assert run("promtool", "check", "config", "prometheus.yml").returncode == 0
    tested = run("promtool", "test", "rules", *TESTS)
    assert tested.returncode == 0, tested.stdout + tested.stderr


@pytest.mark.needs("promtool")
@pytest.mark.parametrize("alert", ALERTS if SOAK else ALERTS[:2])
def test_rule_tests_notice_an_alert_whose_condition_is_turned_round(alert, tmp_path):
    shutil.copytree(DEPLOY / "rules", tmp_path / "rules")
    path = tmp_path / "rules" / "alerts.yml"
    rules = yaml.safe_load(path.read_text())
    (rule,) = [rule for group in rules["groups"] for rule in group["rules"] if rule["alert"] == alert]
    rule["expr"] = f"({rule['expr']}) > 1e9"
    path.write_text(yaml.safe_dump(rules))
    broken = run("promtool", "test", "rules", *TESTS, cwd=tmp_path)
    assert broken.returncode != 0 and alert in broken.stdout + broken.stderr


def test_each_alert_is_tested_raised_and_quiet_and_has_its_page():
    tests = [test for path in TESTS for test in yaml.safe_load((DEPLOY / path).read_text())["tests"]]
    seen = {}
    for test in tests:
        for rule in test["alert_rule_test"]:
            seen.setdefault(rule["alertname"], set()).add(bool(rule["exp_alerts"]))
    assert len(ALERTS) == len(set(ALERTS)) > 15
    assert {name: seen.get(name) for name in ALERTS} == dict.fromkeys(ALERTS, {True, False})
    pages = (ROOT / "docs" / "howto" / "alerts.md").read_text()
    assert re.findall(r"^## (\w+)$", pages, re.M) == ALERTS


@pytest.mark.needs("amtool")
def test_routes_please_amtool_and_go_where_severity_says():
    assert run("amtool", "check-config", "alertmanager.yml").returncode == 0
    for severity, receiver in (("page", "night"), ("ticket", "day")):
        told = run("amtool", "config", "routes", "test", "--config.file=alertmanager.yml", f"severity={severity}")
        assert told.stdout.strip() == receiver


@pytest.mark.needs("amtool")
def test_amtool_notices_a_receiver_that_is_none(tmp_path):
    text = (DEPLOY / "alertmanager.yml").read_text().replace("- name: night", "- name: nobody")
    (tmp_path / "a.yml").write_text(text)
    assert run("amtool", "check-config", str(tmp_path / "a.yml")).returncode != 0


@pytest.mark.parametrize("name", ["fleet", "device", "gateway"])
def test_dashboard_has_what_grafana_wants(name):
    board = json.loads((DEPLOY / "grafana" / f"{name}.json").read_text())
    assert board["uid"] == f"kittiwake-{name}" and board["schemaVersion"] == 39
    variables = {variable["name"] for variable in board["templating"]["list"]}
    identities = [panel["id"] for panel in board["panels"]]
    assert len(identities) == len(set(identities))
    taken = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert place["x"] + place["w"] <= 24 and not cells & taken
        taken |= cells
        for target in panel.get("targets", ()):
            assert set(re.findall(r"\$(\w+)", target["expr"])) <= variables


def test_log_shipper_keeps_on_the_disk_what_is_not_taken():
    pipeline = yaml.safe_load((DEPLOY / "fluent-bit.yaml").read_text())["pipeline"]
    (source,), (sink,) = pipeline["inputs"], pipeline["outputs"]
    assert (source["storage.type"], sink["storage.total_limit_size"]) == ("filesystem", "500M")
    assert (source["tag"], sink["match"], sink["retry_limit"]) == ("kittiwake.*", "kittiwake.*", "no_limits")
