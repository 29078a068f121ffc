"""What was revoked, in memory."""

from datetime import datetime


class MemoryRevocations:
    """The `Revocations` port."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def revoke(self, subject: str, *, until: datetime) -> None:
        """See `ports.Revocations.revoke`."""
        self._until[subject] = until

    def restore(self, subject: str) -> None:
        """The subject is in force again; the `Registry` port does this."""
        self._until.pop(subject, None)

    def in_force(self, *, now: datetime) -> frozenset[str]:
        """See `ports.Revocations.in_force`."""
        return frozenset(subject for subject, until in self._until.copy().items() if until >= now)
