"""The sender's memory, in memory: the same leases and fences as the real one, for tests and examples."""

import threading
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.domain.chain_transaction import ChainTransaction, SignerLease
from chalicelib.domain.errors import LeaseHeld, Superseded


class MemoryChainTransactions:
    """The `ChainTransactions` port."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._leases: dict[str, tuple[SignerLease, datetime]] = {}
        self._rows: dict[tuple[str, int], ChainTransaction] = {}

    def lease(self, signer: str, *, now: datetime, until: datetime) -> SignerLease:
        """See `ports.ChainTransactions.lease`."""
        with self._lock:
            never = datetime.min.replace(tzinfo=UTC)
            first = SignerLease(signer=signer, epoch=0, next_nonce=0, first_unsettled=0)
            held, held_until = self._leases.get(signer, (first, never))
            if held_until > now:
                raise LeaseHeld(signer)
            lease = replace(held, epoch=held.epoch + 1)
            self._leases[signer] = (lease, until)
            return lease

    def release(self, lease: SignerLease) -> None:
        """See `ports.ChainTransactions.release`."""
        with self._lock:
            held, _ = self._leases[lease.signer]
            if held.epoch == lease.epoch:
                self._leases[lease.signer] = (held, datetime.min.replace(tzinfo=UTC))

    def unsettled(self, lease: SignerLease) -> Sequence[ChainTransaction]:
        """See `ports.ChainTransactions.unsettled`."""
        rows = sorted(self._rows.items())
        return [row for (signer, _), row in rows if signer == lease.signer and row.settlement is None]

    def record(self, lease: SignerLease, transaction: ChainTransaction) -> SignerLease:
        """See `ports.ChainTransactions.record`."""
        if (transaction.signer, transaction.nonce) in self._rows:
            raise Superseded
        return self._write(lease, transaction, replace(lease, next_nonce=transaction.nonce + 1))

    def settle(
        self, lease: SignerLease, transaction: ChainTransaction, *, first_unsettled: int
    ) -> SignerLease:
        """See `ports.ChainTransactions.settle`."""
        return self._write(lease, transaction, replace(lease, first_unsettled=first_unsettled))

    def _write(self, lease: SignerLease, row: ChainTransaction, after: SignerLease) -> SignerLease:
        with self._lock:
            held, until = self._leases[lease.signer]
            if held.epoch != lease.epoch:
                raise Superseded
            self._rows[row.signer, row.nonce] = row
            self._leases[lease.signer] = (after, until)
            return after
