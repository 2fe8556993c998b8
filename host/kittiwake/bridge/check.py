"""What a configuration would do, in lines to read, for `kittiwake bridge check`. It opens no port.

Of the broker it looks at the certificate, if it answers soon, and says nothing to it.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from kittiwake.bridge.confirm import scorer
from kittiwake.bridge.settings import Settings
from kittiwake.errors import ConfigError, KittiwakeError
from kittiwake.mqtt import handshake, validity
from kittiwake.mqtt.address import parse_url
from kittiwake.mqtt.credentials import Credentials
from kittiwake.mqtt.settings import BrokerSection
from kittiwake.observe import exporting
from kittiwake.ports import serial
from kittiwake.publish.publisher import KINDS

_LOOK_S = 3.0
_SOON_DAYS = 30
_CALLED = {"client": "ours", "ca": "the CA's", "crl": "the revocation list's", "broker": "the broker's"}
_MENDS = {"client": "certificate_file", "ca": "ca_file", "crl": "crl_file", "broker": "it on the broker"}
_SECRET_FILES = ("password_file", "key_file", "key_password_file")


def lines(settings: Settings) -> list[str]:
    """Say what the bridge would do.

    Args:
        settings: checked.

    Returns:
        Lines; what is wrong with a port now is said and is no error, since it may be plugged in later.

    Raises:
        ConfigError: a file that is named cannot be read.
    """
    return [*_broker(settings), *_devices(settings), *_topics(settings), *_rest(settings)]


def check_files(broker: BrokerSection) -> list[str]:
    """Look at the files that the broker's section names.

    Returns:
        Warnings: secrets that others may read.

    Raises:
        ConfigError: one cannot be read; names the setting.
    """
    warnings = []
    for name in ("ca_file", "crl_file", "certificate_file", *_SECRET_FILES):
        path = getattr(broker, name)
        if not path:
            continue
        try:
            with open(path, "rb"):
                mode = os.stat(path).st_mode
        except OSError as error:
            raise ConfigError(f"broker.{name}: {path} cannot be read: {error.strerror}") from error
        if name in _SECRET_FILES and mode & (stat.S_IRGRP | stat.S_IROTH) and name != "ca_file":
            warnings.append(f"warning: broker.{name}: others may read {path}; chmod 600 {path}")
    return warnings


def _broker(settings: Settings) -> list[str]:
    broker = settings.broker
    address = parse_url(broker.url)
    how = ["TLS" if address.is_tls else "not encrypted"]
    if address.path is not None:
        how.append(f"websocket {address.path}")
    if broker.certificate_file:
        how.append("with our certificate")
    if broker.username:
        how.append(f"as {broker.username}")
    version = "MQTT 5, else 3.1.1" if broker.protocol == "auto" else f"MQTT {broker.protocol}"
    client_id = broker.client_id or f"{settings.bridge.base}-{settings.bridge.id}"
    out = [
        f"broker     {address} ({', '.join(how)}), {version}, client {client_id}",
        f"           at most {broker.in_flight} messages in flight, attempts every "
        f"{broker.backoff_first_s:g} to {broker.backoff_last_s:g} s",
    ]
    if broker.protocol == "3.1.1":
        out.append("           warning: with MQTT 3.1.1 a broker confirms what its ACL forbids, and drops it; let")
        out.append(
            '           protocol be "5", or "auto" with a broker that speaks it, and refusals keep their records'
        )
    if not address.is_tls and broker.username and address.host not in ("localhost", "127.0.0.1", "::1"):
        out.append("           warning: the password goes over the network unencrypted; use mqtts://")
    return [*out, *(f"           {warning}" for warning in check_files(broker)), *_certificates(broker)]


def _certificates(broker: BrokerSection) -> list[str]:
    address = parse_url(broker.url)
    credentials = Credentials(broker)
    if credentials.context is None:
        return []
    problem = handshake.examine(address, credentials, credentials.context, _LOOK_S)
    out = []
    for name, days in credentials.days_left().items():
        date = validity.date(credentials.ends[name])
        when = f"expired on {date}" if days < 0 else f"until {date}, {days:.0f} days left"
        warning = "" if days >= _SOON_DAYS else f"; warning: renew {getattr(broker, _MENDS[name], _MENDS[name])}"
        out.append(f"certificate {_CALLED[name]}: {when}{warning}")
    if problem:
        out.append(f"certificate the broker's: not seen now: {problem}")
    return out


def _devices(settings: Settings) -> list[str]:
    out = []
    for device in settings.devices:
        if device.port == "auto":
            there = ", ".join(port.path for port in serial.list_ports() if port.vid is not None) or "none now"
            now = f"every USB serial port: {there}"
        elif "://" in device.port:
            now = "tried until it answers"
        else:
            try:
                path = serial.resolve(device.port)
                now = path if os.path.exists(path) else f"{path} is not there now; waited for"
            except KittiwakeError as error:
                now = f"{error.message}; waited for"
        only = f", only device {device.device}" if device.device else ""
        out.append(f"device     {device.port}: {now} ({device.baudrate} baud, window {device.window}{only})")
    return out


def _topics(settings: Settings) -> list[str]:
    base, publish = settings.bridge.base, settings.publish
    out = [f"status     {base}/{settings.bridge.id}/status and {base}/DEVICE/status, retained"]
    for kind in KINDS.values():
        topic = publish.topics.get(kind, f"{base}/DEVICE/{kind}")
        out.append(f"publishes  {kind:<9} {topic} (QoS {publish.qos.get(kind, 1)})")
    out.append(f"commands   {base}/DEVICE/cmd, answered on {base}/DEVICE/resp (QoS {publish.qos.get('response', 2)})")
    if settings.homeassistant.enabled:
        out.append(f"discovery  {settings.homeassistant.prefix}/device/DEVICE/config, retained")
    return out


def _rest(settings: Settings) -> list[str]:
    out = []
    if settings.http.listen:
        out.append(f"http       http://{settings.http.listen}/metrics and /healthz")
    if settings.syslog.server:
        out.append(f"syslog     security events to {settings.syslog.server} over TLS, kept in {settings.syslog.folder}")
    if exporting.has_packages(settings.otlp):
        out.append(f"otlp       figures, log, traces to {settings.otlp.endpoint}")
    if opinions := settings.opinions():
        name = scorer.check([rule.model for rule in opinions])
        for rule in opinions:
            if rule.hear:
                out.append(f"confirm    {rule.hear.keyword} by {rule.model} ({name}), from {rule.hear.cutoff:g} on")
    spool = settings.spool
    if spool.enabled:
        parent = Path(spool.path).resolve().parent
        if not parent.is_dir():
            raise ConfigError(f"spool.path: {parent} is not a folder", f"mkdir -p {parent}")
        out.append(f"spool      {spool.path}, up to {spool.limit_mib} MiB, then {spool.on_full}: devices are")
        out.append("           acknowledged when this disk has a record, before the broker has it")
    return out
