"""deploy/k3s and deploy/container: Kubernetes's schemas, the rules for restricted pods; the two fit together."""

import importlib.metadata
import json
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import kubernetes_validate
import pytest
import yaml

from kittiwake.cli.app import app

ROOT = Path(__file__).resolve().parents[2]
K3S = ROOT / "deploy" / "k3s"
FILES = sorted(path for path in K3S.rglob("*.yaml") if path.name != "kustomization.yaml")
CONTAINERFILE = (ROOT / "deploy" / "container" / "Containerfile").read_text()


def documents(path):
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


EVERY = [document for path in FILES for document in documents(path)]
PODS = {
    document["metadata"]["name"]: (document["metadata"]["namespace"], document["spec"]["template"])
    for document in EVERY
    if document["kind"] in ("Deployment", "DaemonSet")
}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_manifests_keep_kubernetess_schemas(path):
    for document in documents(path):
        kubernetes_validate.validate(document, "1.31", strict=True)


def test_schemas_notice_a_field_that_is_none():
    document = documents(K3S / "base" / "serve.yaml")[2]
    document["spec"]["template"]["spec"]["containers"][0]["limits"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(document, "1.31", strict=True)


def offences(pod):
    """What of a pod is against the profile "restricted". Source: Kubernetes, "Pod Security Standards"."""
    found = []
    own = pod.get("securityContext", {})
    if own.get("seccompProfile", {}).get("type") not in ("RuntimeDefault", "Localhost"):
        found.append("seccomp")
    if own.get("runAsNonRoot") is not True or own.get("runAsUser") == 0:
        found.append("root")
    if any(pod.get(name) for name in ("hostNetwork", "hostPID", "hostIPC")):
        found.append("host")
    allowed = {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
    found += [f"volume {name}" for volume in pod.get("volumes", ()) for name in volume.keys() - {"name"} - allowed]
    for container in pod["containers"]:
        context = container.get("securityContext", {})
        if context.get("privileged") or context.get("allowPrivilegeEscalation") is not False:
            found.append("privileges")
        if context.get("capabilities", {}).get("drop") != ["ALL"] or context["capabilities"].get("add"):
            found.append("capabilities")
    return found


def test_pods_of_the_restricted_namespace_are_and_the_one_with_devices_is_not():
    levels = {
        document["metadata"]["name"]: document["metadata"]["labels"]["pod-security.kubernetes.io/enforce"]
        for document in EVERY
        if document["kind"] == "Namespace"
    }
    assert levels == {"kittiwake": "restricted", "kittiwake-devices": "privileged"}
    found = {name: offences(template["spec"]) for name, (_, template) in PODS.items()}
    assert {name for name, (namespace, _) in PODS.items() if namespace != "kittiwake"} == {"bridge"}
    assert found.pop("bridge") and set(map(tuple, found.values())) == {()}


@pytest.mark.parametrize("name", sorted(PODS))
def test_pods_have_probes_limits_and_files_that_cannot_be_written(name):
    spec = PODS[name][1]["spec"]
    assert spec["automountServiceAccountToken"] is False
    for container in spec["containers"]:
        assert container["livenessProbe"] and container["readinessProbe"]
        assert container["resources"]["limits"].keys() == container["resources"]["requests"].keys() == {"cpu", "memory"}
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        ports = {port["name"] for port in container["ports"]}
        for probe in ("livenessProbe", "readinessProbe", "startupProbe"):
            for action in container.get(probe, {}).values():
                if isinstance(action, dict):
                    assert action["port"] in ports


def test_window_is_started_with_options_that_there_are_and_files_that_it_has():
    import typer.main

    (container,) = PODS["window"][1]["spec"]["containers"]
    verb = typer.main.get_command(app).commands["window"]
    options = {option for parameter in verb.params for option in parameter.opts}
    name, *words = container["args"]
    given = dict(word.split("=", 1) for word in words)
    assert name == "window" and given.keys() <= options
    served = {f"0.0.0.0:{port['containerPort']}" for port in container["ports"]}
    assert {given["--listen"], given["--metrics"]} == served
    mounts = {mount["mountPath"]: mount.get("readOnly", False) for mount in container["volumeMounts"]}
    # What it writes lies where it may write.
    places = {option: str(Path(given[option]).parent) for option in ("--config", "--users", "--notes")}
    assert {option: mounts[place] for option, place in places.items()} == {
        "--config": True,
        "--users": True,
        "--notes": False,
    }


def test_inference_is_the_guides_deployment():
    (container,) = PODS["edge-inference"][1]["spec"]["containers"]
    assert container["resources"]["limits"] == {"cpu": "500m", "memory": "512Mi"}
    assert container["env"] == [{"name": "MODEL_PATH", "value": "/models/anomaly_detector.onnx"}]
    assert container["ports"][0]["containerPort"] == 8080
    (volume,) = [document for document in EVERY if document["kind"] == "PersistentVolume"]
    assert volume["spec"]["hostPath"]["path"] == "/opt/models"
    assert container["volumeMounts"][0] == {"name": "models", "mountPath": "/models", "readOnly": True}


def test_everything_of_the_namespace_is_cut_off_but_for_what_is_listed():
    policies = {d["metadata"]["name"]: d["spec"] for d in EVERY if d["kind"] == "NetworkPolicy"}
    assert policies["nothing-else"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    open_ports = {
        port["port"] for spec in policies.values() for rule in spec.get("ingress", ()) for port in rule["ports"]
    }
    served = {
        port["containerPort"]
        for namespace, template in PODS.values()
        if namespace == "kittiwake"
        for container in template["spec"]["containers"]
        for port in container["ports"]
    }
    assert open_ports == served


def test_secrets_are_named_and_never_written():
    assert not [document for document in EVERY if document["kind"] in ("Secret", "ConfigMap")]
    named = {
        volume["secret"]["secretName"]
        for _, template in PODS.values()
        for volume in template["spec"].get("volumes", ())
        if "secret" in volume
    }
    assert named == {"gateway", "history", "inference", "decide", "window", "broker"}


def test_kustomizations_name_every_file():
    named = set()
    for path in K3S.rglob("kustomization.yaml"):
        for resource in yaml.safe_load(path.read_text())["resources"]:
            assert (path.parent / resource).exists()
            named.add((path.parent / resource).resolve())
    assert {path.resolve() for path in FILES} <= named


def stages():
    """Target -> (stage it is from, its lines)."""
    made, name = {}, ""
    for line in CONTAINERFILE.replace("\\\n", " ").splitlines():
        start = re.match(r"FROM (\S+) AS (\S+)", line)
        if start:
            name = start[2]
            made[name] = (start[1], [])
        elif name and line and not line.startswith("#"):  # before the first stage there are arguments alone
            made[name][1].append(line.strip())
    return made


def test_each_image_of_the_manifests_is_a_target_and_runs_a_command_that_there_is():
    targets = {name: lines for name, (origin, lines) in stages().items() if origin == "runtime"}
    images = {
        container["image"]
        for _, template in PODS.values()
        for container in template["spec"]["containers"]
        if container["image"].startswith("kittiwake-")
    }
    assert {re.fullmatch(r"kittiwake-(\w+):0\.1\.0", image)[1] for image in images} <= set(targets)
    assert set(targets) == {"bridge", "history", "window", "serve", "decide"}
    import typer.main

    for lines in targets.values():
        (command,) = [line for line in lines if line.startswith("CMD")]
        words = yaml.safe_load(command.removeprefix("CMD"))
        verb = typer.main.get_command(app)
        while words and words[0] in getattr(verb, "commands", {}):
            verb = verb.commands[words.pop(0)]
        options = {option for parameter in verb.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options, command


def test_images_run_as_nobody_in_particular_with_extras_that_there_are():
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert [line for line in stages()["runtime"][1] if line.startswith("USER")] == ["USER 10001"]
    asked = {extra for extras_ in re.findall(r"'\.\[([\w,]+)\]'", CONTAINERFILE) for extra in extras_.split(",")}
    assert asked == {"history", "otlp", "window", "serve"} <= set(extras)
    for name, (origin, lines) in stages().items():
        if origin == "runtime":
            (copy,) = [shlex.split(line) for line in lines if line.startswith("COPY")]
            assert copy[1].removeprefix("--from=") in stages() and not any(line.startswith("USER") for line in lines), (
                name
            )


def bill(lines):
    """Arguments with which an image's bill of materials is written: of the last line that does."""
    (words,) = [part for line in lines for part in line.split("&&") if "cyclonedx-py" in part]
    return shlex.split(words)[1:]


def test_bill_of_materials_of_an_image_lists_all_that_is_installed(tmp_path):
    bills = [bill(lines) for name, (_, lines) in stages().items() if name.startswith("build-")]
    assert len(bills) == 4 and all(words == bills[0] for words in bills)
    assert bills[0][-3:] == ["-o", "/opt/kittiwake/sbom.json", "/opt/kittiwake"]
    # An environment with the metadata of some packages: of all that is installed here it would take half a minute.
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "env"], check=True, timeout=60)
    (packages,) = (tmp_path / "env").glob("lib/python*/site-packages")
    versions = {}
    for name in ("paho-mqtt", "prometheus-client", "rich"):
        distribution = importlib.metadata.distribution(name)
        versions[name] = distribution.version
        (folder,) = {file.locate().parent for file in distribution.files if file.name == "METADATA"}
        shutil.copytree(folder, packages / folder.name)
    words = [*bills[0][:-3], "-o", str(tmp_path / "bill.json"), str(tmp_path / "env")]
    done = subprocess.run(
        [sys.executable, "-m", "cyclonedx_py", *words], cwd=ROOT, capture_output=True, text=True, timeout=100
    )
    assert done.returncode == 0, done.stderr
    made = json.loads((tmp_path / "bill.json").read_text())
    assert (made["bomFormat"], made["metadata"]["component"]["name"]) == ("CycloneDX", "kittiwake")
    assert {each["name"].replace("_", "-").lower(): each["version"] for each in made["components"]} == versions
