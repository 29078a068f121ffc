"""Bytes that are kept outside the tables, and the links by which a tenant reaches them without a token."""

from dataclasses import dataclass
from datetime import datetime, timedelta

# A function answers with 6 MB at most; a hundredth keeps each answer quick, and holds what jobs mostly give.
INLINE_BYTES = 64 * 1024
# A public context for homomorphic sums takes some tens of MB. What is dense in values is over a run's memory
# before that: then the run fails, and nothing else.
UPLOAD_BYTES = 100 * 1024 * 1024
# As large as an upload: it is read whole, too.
RESULT_BYTES = UPLOAD_BYTES
# Enough to move the largest payload over a slow line (1 Mbit/s); a link that leaks is soon worth nothing.
LINK_LIFETIME = timedelta(minutes=15)
# What no submit has named by then is gone.
UPLOAD_LIFETIME = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Link:
    """A URL that is its own credential, for one thing and until a time: nobody logs it."""

    url: str
    expires_at: datetime


def link_expiry(now: datetime) -> datetime:
    """When a link that is made now expires: links are signed to the second."""
    return now.replace(microsecond=0) + LINK_LIFETIME


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """What a tenant announces: as many bytes with this SHA-256 (hex), under a fresh id."""

    tenant_id: str
    upload_id: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadedInput:
    """An uploaded input, kept for a job: where it is, and what its bytes must be."""

    storage_key: str
    size_bytes: int
    sha256: str
