"""Usage events as CloudEvents 1.0 has them in JSON: in the store, and on the lines of an export.

Integers are strings, for their values exceed what every implementation of JSON keeps. An event that was not
taken in with its fact says when it was, by the extension attribute `ingestedat`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.metering import UsageEvent
from chalicelib.domain.prices import Meter

SPEC_VERSION = "1.0"
SOURCE = "zama-jobs"


def cloud_event(event: UsageEvent) -> dict[str, Any]:
    """The event's document."""
    return {
        "specversion": SPEC_VERSION,
        "id": event.event_id,
        "source": SOURCE,
        "type": type_of(event.meter),
        "subject": event.ref.tenant_id,
        "time": _text(event.time),
        "data": {
            "job_id": event.ref.job_id,
            "meter": event.meter.value,
            "quantity": str(event.quantity),
            "unit": event.unit,
            "plan": event.plan,
            "price_version": event.price_version,
            "outcome": event.outcome.value,
            "gas_used": str(event.gas_used),
            "gas_price_wei": str(event.gas_price_wei),
        },
        **({"ingestedat": _text(event.late_at)} if event.late_at else {}),
    }


def usage_event(document: Mapping[str, Any]) -> UsageEvent:
    """The event of a document that `cloud_event` made."""
    data, late_at = document["data"], document.get("ingestedat")
    return UsageEvent(
        ref=JobRef(document["subject"], data["job_id"]),
        meter=Meter(data["meter"]),
        time=datetime.fromisoformat(document["time"]),
        quantity=int(data["quantity"]),
        unit=data["unit"],
        plan=data["plan"],
        price_version=data["price_version"],
        outcome=Status(data["outcome"]),
        gas_used=int(data["gas_used"]),
        gas_price_wei=int(data.get("gas_price_wei", 0)),  # which older events do not have
        late_at=datetime.fromisoformat(late_at) if late_at else None,
    )


def type_of(meter: Meter) -> str:
    """What kind of event counts on this meter."""
    return f"zama.jobs.{meter}"


def _text(moment: datetime) -> str:
    return moment.isoformat(timespec="microseconds")
