"""What a job may cost at most, which its tenant's spend cap must have room for, and what it did cost.

At list prices: what a plan includes, and cheaper tiers, make an invoice smaller and leave the cap as it is.
"""

from chalicelib.domain.job import Job
from chalicelib.domain.metering import CONFIRMED, kibibytes, metered, price_version_of, stored_bytes
from chalicelib.domain.payload import RESULT_BYTES
from chalicelib.domain.prices import Meter, PriceBook


def most_micros(job: Job, prices: PriceBook, *, most_units: int) -> int:
    """What the accepted job can cost, however it ends; an input that is not read yet, `most_units`."""
    version = price_version_of(job, prices)
    quantities = {
        Meter.JOB_ACCEPTED: 1,
        Meter.COMPUTE_USED: most_units if job.cost_units is None else job.cost_units,
        Meter.PAYLOAD_STORED: kibibytes(stored_bytes(job) + RESULT_BYTES),
        CONFIRMED[job.path]: 1,
    }
    return sum(
        quantity * prices.list_price_micros(job.plan, meter, version=version)
        for meter, quantity in quantities.items()
    )


def charged_micros(job: Job, prices: PriceBook) -> int:
    """What the job has cost by now."""
    return sum(
        event.quantity * prices.list_price_micros(event.plan, event.meter, version=event.price_version)
        for event in metered(job, prices)
    )


def released_micros(before: Job, after: Job, prices: PriceBook) -> int:
    """What the end of a job gives back of what was reserved for it; 0 unless it ends now."""
    if after.is_terminal and not before.is_terminal:
        return after.reserved_micros - charged_micros(after, prices)
    return 0
