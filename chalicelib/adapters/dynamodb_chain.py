"""The sender's leases and rows in DynamoDB: a nonce, its signed bytes and its jobs commit together."""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb import Tables, TransactionRefused, to_attributes
from chalicelib.adapters.dynamodb_actions import put_if_absent, update_if
from chalicelib.adapters.dynamodb_items import sortable
from chalicelib.adapters.dynamodb_jobs import change_action
from chalicelib.domain.chain_transaction import (
    Attempt,
    ChainTransaction,
    Listed,
    Mined,
    Settlement,
    SignerLease,
    TransactionProgress,
)
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.errors import LeaseHeld, Superseded
from chalicelib.domain.fees import Fees
from chalicelib.domain.job import JobRef
from chalicelib.domain.transaction_id import Account, ConfirmationPath, TransactionId
from chalicelib.ports import Change

SIGNERS = "chain_signers"
TRANSACTIONS = "chain_transactions"
# A row of 98 jobs has some 50 KB, and one answer of DynamoDB at most 1 MB.
ROWS_A_PAGE = 20
# What is read for a tenant: 200 bytes of those 50 KB.
PROGRESS = ("path", "latest_hash", "mined", "settlement")


class DynamoDbChainTransactions:
    """The `ChainTransactions` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def lease(self, account: Account, *, now: datetime, until: datetime) -> SignerLease:
        """See `ports.ChainTransactions.lease`."""
        key = {"account": _text(account)}
        take = {
            "TableName": SIGNERS,
            "Key": to_attributes(key),
            "UpdateExpression": "SET lease_until = :until ADD lease_epoch :one",
            "ConditionExpression": "attribute_not_exists(lease_until) OR lease_until <= :now",
            "ExpressionAttributeValues": to_attributes(
                {":until": sortable(until), ":now": sortable(now), ":one": 1}
            ),
        }
        try:
            self._tables.transact([{"Update": take}])
        except TransactionRefused as refused:
            raise LeaseHeld(account.signer) from refused
        return self.peek(account)

    def peek(self, account: Account) -> SignerLease:
        """See `ports.ChainTransactions.peek`."""
        row = self._tables.get(SIGNERS, {"account": _text(account)}) or {}
        return SignerLease(
            account=account,
            epoch=int(row.get("lease_epoch", 0)),
            next_nonce=int(row.get("next_nonce", 0)),
            first_unsettled=int(row.get("first_unsettled", 0)),
        )

    def release(self, lease: SignerLease) -> None:
        """See `ports.ChainTransactions.release`."""
        with suppress(Superseded):
            self._transact([_fenced(lease, {"lease_until": None})])

    def get(self, transaction_id: TransactionId) -> ChainTransaction | None:
        """See `ports.ChainTransactions.get`."""
        found = self._tables.get(TRANSACTIONS, _key(transaction_id))
        return _decode(found, transaction_id.account) if found else None

    def progress(
        self, transaction_ids: Sequence[TransactionId]
    ) -> Mapping[TransactionId, TransactionProgress]:
        """See `ports.ChainTransactions.progress`."""
        names = {f"#{name}": name for name in ("account", "nonce", *PROGRESS)}
        found = self._tables.get_many(
            TRANSACTIONS,
            [_key(each) for each in transaction_ids],
            ProjectionExpression=", ".join(names),
            ExpressionAttributeNames=names,
        )
        named = {(_text(each.account), each.nonce): each for each in transaction_ids}
        return {named[item["account"], int(item["nonce"])]: _progress(item) for item in found}

    def unsettled(self, lease: SignerLease) -> Sequence[ChainTransaction]:
        """See `ports.ChainTransactions.unsettled`."""
        found = self._tables.query(
            TRANSACTIONS,
            KeyConditionExpression="account = :account AND nonce >= :first",
            values={":account": _text(lease.account), ":first": lease.first_unsettled},
            ConsistentRead=True,
        )
        rows = (_decode(item, lease.account) for item in found)
        return [row for row in rows if row.settlement is None]

    def rows(self, account: Account) -> Iterator[ChainTransaction]:
        """See `ports.ChainTransactions.rows`."""
        start = None
        while True:
            items, start = self._tables.read_page(
                TRANSACTIONS,
                limit=ROWS_A_PAGE,
                start=start,
                KeyConditionExpression="account = :account",
                ExpressionAttributeValues=to_attributes({":account": _text(account)}),
                ConsistentRead=True,
            )
            yield from (_decode(item, account) for item in items)
            if start is None:
                return

    def record(
        self, lease: SignerLease, transaction: ChainTransaction, placed: Sequence[Change]
    ) -> SignerLease:
        """See `ports.ChainTransactions.record`."""
        after = lease.recorded(transaction.nonce)
        row = {**_key(transaction.id), **_encode(transaction)}
        self._transact(
            [_fenced(lease, _nonces(after)), put_if_absent(TRANSACTIONS, row, key="nonce")]
            + [change_action(change) for change in placed]
        )
        return after

    def amend(self, lease: SignerLease, transaction: ChainTransaction) -> None:
        """See `ports.ChainTransactions.amend`."""
        self._update(lease, transaction)

    def settle(
        self, lease: SignerLease, transaction: ChainTransaction, *, first_unsettled: int
    ) -> SignerLease:
        """See `ports.ChainTransactions.settle`."""
        after = replace(lease, first_unsettled=first_unsettled)
        self._update(after, transaction)
        return after

    def _update(self, lease: SignerLease, transaction: ChainTransaction) -> None:
        """What may change of a row, at the lease's epoch, whose nonces are written with it.

        Its jobs stay, or it has none any more and fills its nonce.
        """
        row = _encode(transaction)
        filled = ("jobs", "gas") if transaction.path is None else ()
        changed = {name: row.get(name) for name in ("attempts", "sent_at_block", *PROGRESS, *filled)}
        first = {"first_hash": transaction.attempts[0].hash}
        update = update_if(TRANSACTIONS, _key(transaction.id), before=first, changed=changed)
        self._transact([_fenced(lease, _nonces(lease)), update])

    def _transact(self, actions: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._tables.transact(actions)
        except TransactionRefused as refused:
            raise Superseded from refused


def _fenced(lease: SignerLease, changed: Mapping[str, object | None]) -> Mapping[str, Any]:
    """Only the holder of this epoch writes."""
    key = {"account": _text(lease.account)}
    return update_if(SIGNERS, key, before={"lease_epoch": lease.epoch}, changed=changed)


def _nonces(lease: SignerLease) -> Mapping[str, int]:
    return {"next_nonce": lease.next_nonce, "first_unsettled": lease.first_unsettled}


def _text(account: Account) -> str:
    return f"{account.signer}@{account.genesis_hash}"


def _key(transaction_id: TransactionId) -> Mapping[str, object]:
    return {"account": _text(transaction_id.account), "nonce": transaction_id.nonce}


def _encode(transaction: ChainTransaction) -> dict[str, object]:
    """All but the key; `mined` and `settlement` are absent until there is one."""
    mined, settlement = transaction.mined, transaction.settlement
    row: dict[str, object] = {
        "first_hash": transaction.attempts[0].hash,
        "latest_hash": transaction.latest.hash,
        "attempts": [
            [each.raw, each.hash, each.fees.max_fee_wei, each.fees.max_priority_fee_wei]
            for each in transaction.attempts
        ],
        "gas": transaction.gas,
        "sent_at_block": transaction.sent_at_block,
        "jobs": json.dumps([_written(each) for each in transaction.jobs]),
    }
    row |= {"path": transaction.path.value} if transaction.path else {}
    row |= {"mined": [mined.hash, mined.block_number, mined.depth]} if mined else {}
    return row | ({"settlement": settlement.value} if settlement else {})


def _written(listed: Listed) -> list[str]:
    """All jobs are one text, for nobody asks for less, and 500 attributes take a while to write and read."""
    entry = listed.entry
    return [listed.ref.tenant_id, listed.ref.job_id, entry.job_key, entry.result_hash, listed.trace_id]


def _decode(item: Mapping[str, Any], account: Account) -> ChainTransaction:
    return ChainTransaction(
        id=TransactionId(account, int(item["nonce"])),
        path=ConfirmationPath(item["path"]) if "path" in item else None,
        jobs=tuple(
            Listed(JobRef(tenant_id, job_id), Entry(job_key, result_hash), trace_id)
            for tenant_id, job_id, job_key, result_hash, trace_id in json.loads(item["jobs"])
        ),
        gas=int(item["gas"]),
        attempts=tuple(
            Attempt(
                raw=bytes(raw.value),
                hash=name,
                fees=Fees(max_fee_wei=int(max_fee), max_priority_fee_wei=int(priority_fee)),
            )
            for raw, name, max_fee, priority_fee in item["attempts"]
        ),
        sent_at_block=int(item["sent_at_block"]),
        mined=_mined(*item["mined"]) if "mined" in item else None,
        settlement=Settlement(item["settlement"]) if "settlement" in item else None,
    )


def _progress(item: Mapping[str, Any]) -> TransactionProgress:
    return TransactionProgress(
        path=ConfirmationPath(item["path"]) if "path" in item else None,
        latest_hash=item["latest_hash"],
        mined=_mined(*item["mined"]) if "mined" in item else None,
        settlement=Settlement(item["settlement"]) if "settlement" in item else None,
    )


def _mined(transaction_hash: str, block_number: int, depth: int) -> Mined:
    return Mined(hash=transaction_hash, block_number=int(block_number), depth=int(depth))
