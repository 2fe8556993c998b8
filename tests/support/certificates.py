"""The test certificates and the example configuration of deploy/mosquitto, put where a test wants them."""

import os
import subprocess
from datetime import UTC, datetime
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


def sign(folder, name, extension, days=825, common_name="", ca="ca"):
    """Make NAME.pem and NAME.key in the folder, signed by a CA that is there; with -1 it has ended."""
    folder = Path(folder)
    _openssl(
        folder,
        *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"),
        *("-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={common_name or name}"),
    )
    (folder / f"{name}.ext").write_text(extension)
    _openssl(
        folder,
        *("x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey", f"{ca}.key", "-days", str(days)),
        *("-extfile", f"{name}.ext", "-set_serial", f"0x{os.urandom(8).hex()}", "-out", f"{name}.pem"),
    )
    (folder / f"{name}.pem").chmod(0o644)


def revoke(folder, *names, until="", file="crl.pem", ca="ca"):
    """Write the CA's revocation list with these certificates; it ends then (YYYYMMDDHHMMSSZ), or in 30 days."""
    folder = Path(folder)
    lines = []
    for name in names:
        serial = _openssl(folder, "x509", "-in", f"{name}.pem", "-noout", "-serial").partition("=")[2].strip()
        lines.append(f"R\t401231235959Z\t200101000000Z\t{serial}\tunknown\t/CN={name}\n")
    (folder / "index.txt").write_text("".join(lines))
    (folder / "list.cnf").write_text(
        "[ca]\ndefault_ca = us\n[us]\ndatabase = index.txt\ndefault_md = sha256\ndefault_crl_days = 30\n"
        f"certificate = {ca}.pem\nprivate_key = {ca}.key\n"
    )
    dates = ["-crl_lastupdate", "20200101000000Z", "-crl_nextupdate", until] if until else []
    _openssl(folder, "ca", "-config", "list.cnf", "-gencrl", "-out", file, *dates)
    (folder / file).chmod(0o644)
    return folder / file


def end_of(path, kind="x509"):
    """When openssl says that a certificate (or, with "crl", a list) ends: seconds since 1970, and the date."""
    option, form = ("-enddate" if kind == "x509" else "-nextupdate"), "%b %d %H:%M:%S %Y %Z"
    text = _openssl(Path(path).parent, kind, "-in", str(path), "-noout", option).partition("=")[2].strip()
    moment = datetime.strptime(text, form).replace(tzinfo=UTC)
    return moment.timestamp(), moment.strftime("%Y-%m-%d")


def _openssl(folder, *words):
    done = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout
