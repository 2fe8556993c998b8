"""What gateway.toml says of the window; `kittiwake window` takes the same by options. It knows no server."""

from __future__ import annotations

from pydantic import Field

from kittiwake.config.load import Section


class WindowSection(Section):
    """The pages in a browser; `kittiwake window -c` serves them, and the bridge where `enabled` says so."""

    enabled: bool = Field(False, description="The bridge starts the window, and again when it ends: true or false")
    listen: str = Field("127.0.0.1:8800", description="Where the pages are, HOST:PORT")
    database: str = Field(
        "",
        description="The history's file, or postgresql://USER@HOST/NAME; empty: pages know what came since",
        examples=["/var/lib/kittiwake-history/history.sqlite"],
    )
    notes: str = Field(
        "kittiwake-window.sqlite",
        description="File of what people leave: acknowledgements, devices put away, the audit",
        examples=["/var/lib/kittiwake/window.sqlite"],
    )
    inventory: str = Field(
        "fleet.sqlite",
        description="File of `kittiwake fleet`, which keeps the groups of devices",
        examples=["/var/lib/kittiwake/fleet.sqlite"],
    )
    rollouts: str = Field("rollouts.sqlite", description="File of `kittiwake rollout`, which need not be there")
    releases: str = Field(
        "",
        description="Folder with releases (.kwu) that a roll-out may be taken back to; empty: that of [releases]",
        examples=["/var/lib/kittiwake/releases"],
    )
    users: str = Field("", description="File of `kittiwake window user add`; empty: whoever sits here acts")
    certificate_file: str = Field("", description="Certificate for TLS, PEM; empty for none")
    key_file: str = Field("", description="Its private key, PEM")
    user_header: str = Field(
        "",
        description="Header in which a reverse proxy on this machine names who has logged in there; empty for none",
        examples=["X-Forwarded-User"],
    )
    hosts: list[str] = Field(
        default_factory=list,
        description="Names that browsers know it by, besides the address",
        examples=[["gateway.example"]],
    )
    metrics: str = Field("", description="HOST:PORT to serve /metrics and /healthz on; empty for not at all")

    @property
    def is_tls(self) -> bool:
        """Whether it speaks TLS."""
        return bool(self.certificate_file)
