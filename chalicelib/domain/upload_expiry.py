"""When an upload that no submit has named is of no use any more: its id says when it was announced."""

from datetime import datetime

from chalicelib.domain.listing import ulid_time, unix_milliseconds
from chalicelib.domain.payload import UPLOAD_LIFETIME

PREFIX = "upl_"


def upload_has_expired(upload_id: str, *, now: datetime) -> bool:
    """Whether it was announced longer ago than `UPLOAD_LIFETIME`.

    >>> from datetime import UTC
    >>> upload_has_expired("upl_" + "0" * 26, now=datetime(1970, 1, 2, 0, 0, 0, 1000, tzinfo=UTC))
    True
    >>> upload_has_expired("upl_" + "0" * 26, now=datetime(1970, 1, 2, tzinfo=UTC))
    False
    """
    announced = upload_id.removeprefix(PREFIX)[: len(ulid_time(0))]
    return announced < ulid_time(unix_milliseconds(now - UPLOAD_LIFETIME))
