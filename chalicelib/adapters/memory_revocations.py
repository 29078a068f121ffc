"""What was revoked, in memory."""

from datetime import datetime


class MemoryRevocations:
    """The `Revocations` port."""

    def __init__(self) -> None:
        self._until: set[tuple[str, datetime]] = set()

    def revoke(self, subject: str, *, until: datetime) -> None:
        """See `ports.Revocations.revoke`."""
        self._until.add((subject, until))

    def restore(self, subject: str, *, until: datetime) -> None:
        """It is not revoked until then any more; the `Registry` port does this."""
        self._until.discard((subject, until))

    def in_force(self, *, now: datetime) -> frozenset[str]:
        """See `ports.Revocations.in_force`."""
        return frozenset(subject for subject, until in self._until.copy() if until >= now)
