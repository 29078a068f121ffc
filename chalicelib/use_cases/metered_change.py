"""What a change of a job does to its tenant's account, in the transaction that makes it true."""

from chalicelib.domain.job import Job
from chalicelib.domain.metering import events_of
from chalicelib.domain.prices import PriceBook
from chalicelib.domain.spend import released_micros
from chalicelib.ports import Change


def metered_change(before: Job, after: Job, prices: PriceBook) -> Change:
    """The change, with the events that become true by it and what it gives back of the reservation."""
    return Change(before, after, events_of(after, prices), released_micros(before, after, prices))
