"""Names of what is logged, for machines: they stay, whatever the words of a line become. Security events are marked.

`extra=event("broker.lost")` beside a line's words puts the name into the log's JSON.
"""

from __future__ import annotations

# Name -> what it means; those of security are what an auditor asks for.
SECURITY = {
    "certificate.changed": "changed certificates or passwords are taken",
    "certificate.refused": "changed certificates or passwords cannot be taken; the old stay",
    "certificate.untrusted": "a certificate is not accepted: the broker's, the log receiver's, or ours by the broker",
    "client.taken_over": "another program connects with our client id",
    "command.answered": "a command was answered, with its operation and status",
    "configuration.changed": "a changed configuration was taken up",
    "configuration.refused": "a changed configuration cannot be; all stays as it was",
    "device.refused": "a device is not taken, since its name is not its own here",
    "events.lost": "security events had no room, and the receiver of the log never gets them",
    "login.refused": "the broker does not let us in",
    "request.refused": "a request for inference had no token, or a wrong one",
    "update.ended": "a release of a device's firmware came to its end, with its state",
    "user.refused": "somebody's log-in to the window failed",
}
OPERATION = {
    "broker.away": "a connection to the broker could not be made",
    "broker.connected": "the broker has accepted us",
    "broker.lost": "the connection to the broker is lost",
    "decision.failed": "no decision could be made of a record",
    "device.session": "a device has a session",
    "device.silent": "a device has said nothing for a while",
    "model.gone": "a model's file is gone",
    "model.loaded": "a model was taken up",
    "model.refused": "a model's file cannot be loaded; its predecessor answers",
    "spool.failed": "the spool's disk takes nothing",
    "spool.works": "it takes records again",
    "syslog.away": "the receiver of security events cannot be reached; they wait on the disk",
    "syslog.connected": "the receiver of security events is there",
    "window.ended": "the window that the bridge has started ended, and is started again",
    "worker.died": "the process that answers inference died, and is started again",
}


def event(name: str) -> dict[str, object]:
    """Give the fields that name a line's event.

    Args:
        name: of SECURITY or OPERATION.

    Returns:
        For the argument `extra` of a logger.

    Raises:
        KeyError: there is no such event.
    """
    is_security = name in SECURITY
    if not is_security:
        OPERATION[name]
    return {"event": name, "is_security": is_security}
