"""The sender's memory, in memory: the same leases and fences as the real one, for tests and examples."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from chalicelib.domain.chain_transaction import ChainTransaction, SignerLease, TransactionProgress
from chalicelib.domain.errors import LeaseHeld, Superseded
from chalicelib.domain.transaction_id import Account, TransactionId
from chalicelib.ports import Change, Jobs

_NEVER = datetime.min.replace(tzinfo=UTC)


class MemoryChainTransactions:
    """The `ChainTransactions` port, beside the jobs that it places."""

    def __init__(self, jobs: Jobs) -> None:
        self._jobs = jobs
        self._lock = threading.Lock()
        self._leases: dict[Account, tuple[SignerLease, datetime]] = {}
        self._rows: dict[TransactionId, ChainTransaction] = {}

    def lease(self, account: Account, *, now: datetime, until: datetime) -> SignerLease:
        """See `ports.ChainTransactions.lease`."""
        with self._lock:
            _, held_until = self._leases.get(account, (None, _NEVER))
            if held_until > now:
                raise LeaseHeld(account.signer)
            held = self.peek(account)
            lease = replace(held, epoch=held.epoch + 1)
            self._leases[account] = (lease, until)
            return lease

    def peek(self, account: Account) -> SignerLease:
        """See `ports.ChainTransactions.peek`."""
        first = SignerLease(account=account, epoch=0, next_nonce=0, first_unsettled=0)
        return self._leases.get(account, (first, _NEVER))[0]

    def release(self, lease: SignerLease) -> None:
        """See `ports.ChainTransactions.release`."""
        with self._lock:
            held, _ = self._leases[lease.account]
            if held.epoch == lease.epoch:
                self._leases[lease.account] = (held, _NEVER)

    def get(self, transaction_id: TransactionId) -> ChainTransaction | None:
        """See `ports.ChainTransactions.get`."""
        return self._rows.get(transaction_id)

    def progress(
        self, transaction_ids: Sequence[TransactionId]
    ) -> Mapping[TransactionId, TransactionProgress]:
        """See `ports.ChainTransactions.progress`."""
        return {each: self._rows[each].progress for each in transaction_ids if each in self._rows}

    def unsettled(self, lease: SignerLease) -> Sequence[ChainTransaction]:
        """See `ports.ChainTransactions.unsettled`."""
        rows = (row for row in self.rows(lease.account) if row.nonce >= lease.first_unsettled)
        return [row for row in rows if row.settlement is None]

    def rows(self, account: Account) -> Iterator[ChainTransaction]:
        """See `ports.ChainTransactions.rows`."""
        mine = [row for row in self._rows.values() if row.id.account == account]
        yield from sorted(mine, key=lambda row: row.nonce)

    def record(
        self, lease: SignerLease, transaction: ChainTransaction, placed: Sequence[Change]
    ) -> SignerLease:
        """See `ports.ChainTransactions.record`."""
        with self._lock:
            self._check(lease)
            if transaction.id in self._rows:
                raise Superseded
            self._jobs.save(placed)
            self._rows[transaction.id] = transaction
            return self._renewed(lease.recorded(transaction.nonce))

    def amend(self, lease: SignerLease, transaction: ChainTransaction) -> None:
        """See `ports.ChainTransactions.amend`."""
        with self._lock:
            self._check(lease)
            self._rows[transaction.id] = transaction
            self._renewed(lease)

    def settle(
        self, lease: SignerLease, transaction: ChainTransaction, *, first_unsettled: int
    ) -> SignerLease:
        """See `ports.ChainTransactions.settle`."""
        with self._lock:
            self._check(lease)
            self._rows[transaction.id] = transaction
            return self._renewed(replace(lease, first_unsettled=first_unsettled))

    def _check(self, lease: SignerLease) -> None:
        if self._leases[lease.account][0].epoch != lease.epoch:
            raise Superseded

    def _renewed(self, lease: SignerLease) -> SignerLease:
        self._leases[lease.account] = (lease, self._leases[lease.account][1])
        return lease
