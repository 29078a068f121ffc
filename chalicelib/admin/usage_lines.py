"""Usage events on lines: what `usage export` prints, and what `usage ingest` and `invoices recompute` read.

A line is one CloudEvent as `adapters.cloud_events` writes it; each is judged, and all of its faults are told.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from chalicelib.adapters.cloud_events import cloud_event, type_of, usage_event
from chalicelib.domain.job import Status
from chalicelib.domain.metering import UNITS, UsageEvent
from chalicelib.domain.prices import Meter
from chalicelib.web.schemas.invoices import TenantId

Name = Annotated[str, Field(min_length=1, max_length=64)]
# More than 63 bits hold; and a sum of them, at any price, is no longer than an amount may be.
Quantity = Annotated[str, Field(pattern=r"^(0|[1-9][0-9]{0,18})$")]


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("there is no such moment in UTC") from error


Moment = Annotated[AwareDatetime, AfterValidator(_in_utc)]


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class _Data(_Closed):
    job_id: Annotated[str, Field(pattern=r"^job_[0-9A-HJKMNP-TV-Z]{26}$")]
    meter: Meter
    quantity: Quantity
    unit: str
    plan: Name
    price_version: Name
    outcome: Status
    gas_used: Quantity
    gas_price_wei: Quantity


class _Line(_Closed):
    specversion: Literal["1.0"]
    id: str
    source: Literal["zama-jobs"]
    type: str
    subject: TenantId
    time: Moment
    data: _Data
    ingestedat: Moment | None = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        meter = self.data.meter
        said = {"id": self.id, "type": self.type, "data.unit": self.data.unit}
        due = {"id": f"{self.data.job_id}:{meter}", "type": type_of(meter), "data.unit": UNITS[meter]}
        if wrong := [f"{name} is not {due[name]}" for name in due if said[name] != due[name]]:
            raise ValueError("; ".join(wrong))
        return self


@dataclass(frozen=True, slots=True)
class Read:
    """What a line, counted from 1, holds: an event, or what is wrong with it."""

    line: int
    found: UsageEvent | str


def line_of(event: UsageEvent) -> str:
    """The event as one line of JSON."""
    return json.dumps(cloud_event(event), separators=(",", ":"))


def read_lines(lines: Iterable[str | bytes]) -> Iterator[Read]:
    """Line by line, as it is asked for; empty ones are nothing."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield Read(number, _read(line))


def _read(line: str | bytes) -> UsageEvent | str:
    try:
        return usage_event(_Line.model_validate_json(line).model_dump(mode="json"))
    except ValidationError as error:
        faults = error.errors(include_url=False, include_context=False, include_input=False)
        return "; ".join(_told(".".join(map(str, fault["loc"])), fault["msg"]) for fault in faults)


def _told(place: str, message: str) -> str:
    reason = message.removeprefix("Value error, ")
    return f"{place}: {reason}" if place else reason
