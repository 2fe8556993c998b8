"""Prices as a file, and what traffic costs by them in a month."""

from __future__ import annotations

from dataclasses import dataclass

from pydantic import Field

from kittiwake.config.load import Section
from kittiwake.cost.traffic import Traffic

MONTH_S = 30 * 86400
_GIB = 1 << 30


class Prices(Section):
    """What a provider asks for."""

    currency: str = Field("", max_length=8, description="What the prices are in; shown as it is", examples=["EUR"])
    gib_sent: float = Field(0, ge=0, allow_inf_nan=False, description="Price of a GiB sent")
    million_messages: float = Field(0, ge=0, allow_inf_nan=False, description="Price of a million messages")
    gib_month: float = Field(0, ge=0, allow_inf_nan=False, description="Price of keeping a GiB for a month")
    kept_months: float = Field(
        12, ge=0, allow_inf_nan=False, json_schema_extra={"unit": "months"}, description="Months for which all is kept"
    )
    gateway: float = Field(0, ge=0, allow_inf_nan=False, description="Price of a gateway, paid once")
    gateway_months: float = Field(
        36, gt=0, allow_inf_nan=False, json_schema_extra={"unit": "months"}, description="Months that it lasts"
    )


@dataclass(frozen=True)
class Month:
    """A fleet's month.

    Args:
        messages: to the broker.
        sent_gib: of packets.
        stored_gib: what is kept once the first has been kept as long as it is.
        sent, handled, stored, gateway: what it costs.
    """

    messages: float
    sent_gib: float
    stored_gib: float
    sent: float
    handled: float
    stored: float
    gateway: float

    @property
    def total(self) -> float:
        """All that it costs."""
        return self.sent + self.handled + self.stored + self.gateway


def month(traffic: Traffic, sensors: int, prices: Prices, has_gateway: bool) -> Month:
    """Work out a month.

    Args:
        traffic: of one sensor.
        sensors: how many there are.
        prices: what is asked for.
        has_gateway: whether a gateway stands at the site.

    Returns:
        The month.
    """
    times = sensors * MONTH_S / traffic.seconds
    messages, gib = traffic.messages * times, traffic.sent_bytes * times / _GIB
    stored = gib * prices.kept_months
    return Month(
        messages,
        gib,
        stored,
        gib * prices.gib_sent,
        messages / 1e6 * prices.million_messages,
        stored * prices.gib_month,
        prices.gateway / prices.gateway_months if has_gateway else 0.0,
    )
