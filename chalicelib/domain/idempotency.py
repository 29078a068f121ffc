"""Idempotency keys and the fingerprints that tell a retry from a mistake.

After the IETF draft `draft-ietf-httpapi-idempotency-key-header-07` (expired; a draft).
"""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from chalicelib.domain.errors import IdempotencyKeyInvalid, IdempotencyKeyMissing
from chalicelib.domain.job import JobRef

# Clients retry for hours, people for days; a month covers both. An unfinished job keeps its key for longer.
KEPT_FOR = timedelta(days=30)
# How long after its expiry a store may forget a claim. A job unfinished for longer than that would lose its
# key; jobs end within minutes, and an outage of a year is no outage. The price is 13 months of claims kept:
# at a million jobs a month and 1.5 KB a claim, 20 GB.
FORGOTTEN_AFTER = timedelta(days=365)

# Printable ASCII; a bare key begins with neither a space, which a header cannot, nor a quotation mark.
_KEY = re.compile(r'"([ -~]{1,255})"|([!#-~][ -~]{0,254})')


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One key's owner: which request claimed it, and the answer that every replay gets, byte for byte."""

    tenant_id: str
    operation: str
    key: str
    fingerprint: str
    job_ref: JobRef
    response_body: bytes
    expires_at: datetime

    @property
    def storage_key(self) -> str:
        """The operation and a digest of the key, so that no key can contain a delimiter."""
        return f"{self.operation}#{hashlib.sha256(self.key.encode()).hexdigest()}"

    def has_expired(self, *, now: datetime) -> bool:
        """Whether the key is free as soon as the job has ended; until then it is held, however long."""
        return self.expires_at <= now


def parse_key(values: tuple[str, ...]) -> str:
    """The key in the header's values: bare or quoted, which are the same key.

    >>> parse_key(('"order-7"',)) == parse_key(("order-7",))
    True
    """
    if not values:
        raise IdempotencyKeyMissing("Send an Idempotency-Key header: a fresh one a job, the same on a retry.")
    if len(values) > 1:
        raise IdempotencyKeyInvalid("Send exactly one Idempotency-Key header.")
    value = values[0].strip(" \t")  # RFC 9110 §5.5: the only white space around a value
    found = _KEY.fullmatch(value)
    if found is None:
        raise IdempotencyKeyInvalid("An Idempotency-Key has 1 to 255 printable ASCII characters.")
    return found[1] or found[2]


def fingerprint(operation: str, canonical_body: bytes) -> str:
    """A digest that is equal exactly for requests that mean the same.

    `operation` is the method and route; the body is canonical JSON (RFC 8785).
    """
    return hashlib.sha256(operation.encode() + b"\n" + canonical_body).hexdigest()
