"""Revoked tokens in memory."""

from datetime import datetime


class MemoryRevocations:
    """The `Revocations` port."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}

    def revoke(self, token_id: str, *, until: datetime) -> None:
        """See `ports.Revocations.revoke`."""
        self._until[token_id] = until

    def in_force(self, *, now: datetime) -> frozenset[str]:
        """See `ports.Revocations.in_force`."""
        return frozenset(token_id for token_id, until in self._until.copy().items() if until >= now)
