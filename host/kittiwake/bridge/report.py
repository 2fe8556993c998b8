"""Parts of what /healthz and the command `status` say, JSON-ready. It reads what others keep."""

from __future__ import annotations

from kittiwake.bridge.device_report import refused
from kittiwake.bridge.spool import Spool
from kittiwake.mqtt.credentials import Credentials


def of_certificates(credentials: Credentials) -> dict[str, object]:
    """Say how many days certificates have left; nothing without TLS."""
    days_left = {name: round(days, 1) for name, days in credentials.days_left().items()}
    return {"certificates": {"days_left": days_left, "problem": credentials.problem}} if credentials.context else {}


def of_spool(spool: Spool | None) -> dict[str, object]:
    """Say what the spool holds, and what is wrong with it; nothing where it is off."""
    if spool is None:
        return {}
    figures = {"records": spool.records, "bytes": spool.bytes, "dropped": spool.dropped, "problem": spool.problem}
    return {"spool": {**figures, "refused": refused(spool.refusals)}}
