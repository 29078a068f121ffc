"""The sender's leases and transactions in DynamoDB: a nonce and its signed bytes commit together."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb import (
    Tables,
    TransactionRefused,
    put_if_absent,
    to_attributes,
    update_if,
)
from chalicelib.adapters.dynamodb_items import sortable
from chalicelib.domain.chain_transaction import ChainTransaction, Listed, Settlement, SignerLease
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.errors import LeaseHeld, Superseded
from chalicelib.domain.job import JobRef

SIGNERS = "chain_signers"
TRANSACTIONS = "chain_transactions"


class DynamoDbChainTransactions:
    """The `ChainTransactions` port."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def lease(self, signer: str, *, now: datetime, until: datetime) -> SignerLease:
        """See `ports.ChainTransactions.lease`."""
        key = {"signer": signer}
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
            raise LeaseHeld(signer) from refused
        row = self._tables.get(SIGNERS, key)
        assert row is not None, "it was just written"
        return SignerLease(
            signer=signer,
            epoch=int(row["lease_epoch"]),
            next_nonce=int(row.get("next_nonce", 0)),
            first_unsettled=int(row.get("first_unsettled", 0)),
        )

    def release(self, lease: SignerLease) -> None:
        """See `ports.ChainTransactions.release`."""
        with suppress(Superseded):
            self._transact([_signer_update(lease, {"lease_until": None})])

    def unsettled(self, lease: SignerLease) -> Sequence[ChainTransaction]:
        """See `ports.ChainTransactions.unsettled`."""
        found = self._tables.query(
            TRANSACTIONS,
            KeyConditionExpression="signer = :signer AND nonce >= :first",
            values={":signer": lease.signer, ":first": lease.first_unsettled},
            ConsistentRead=True,
        )
        rows = (_decode(item) for item in found)
        return [row for row in rows if row.settlement is None]

    def record(self, lease: SignerLease, transaction: ChainTransaction) -> SignerLease:
        """See `ports.ChainTransactions.record`."""
        taken = replace(lease, next_nonce=transaction.nonce + 1)
        self._transact(
            [
                _signer_update(lease, {"next_nonce": taken.next_nonce}),
                put_if_absent(TRANSACTIONS, _encode(transaction), key="nonce"),
            ]
        )
        return taken

    def settle(
        self, lease: SignerLease, transaction: ChainTransaction, *, first_unsettled: int
    ) -> SignerLease:
        """See `ports.ChainTransactions.settle`."""
        assert transaction.settlement is not None, "only a settled transaction is settled"
        settled = replace(lease, first_unsettled=first_unsettled)
        self._transact(
            [
                _signer_update(lease, {"first_unsettled": settled.first_unsettled}),
                update_if(
                    TRANSACTIONS,
                    {"signer": transaction.signer, "nonce": transaction.nonce},
                    before={"hash": transaction.hash},
                    changed={"settlement": transaction.settlement.value},
                ),
            ]
        )
        return settled

    def _transact(self, actions: Sequence[Mapping[str, Any]]) -> None:
        try:
            self._tables.transact(actions)
        except TransactionRefused as refused:
            raise Superseded from refused


def _signer_update(lease: SignerLease, changed: Mapping[str, object | None]) -> Mapping[str, Any]:
    """Fenced: only the holder of this epoch writes."""
    return update_if(SIGNERS, {"signer": lease.signer}, before={"lease_epoch": lease.epoch}, changed=changed)


def _encode(transaction: ChainTransaction) -> Mapping[str, object]:
    return {
        "signer": transaction.signer,
        "nonce": transaction.nonce,
        "raw": transaction.raw,
        "hash": transaction.hash,
        "genesis_hash": transaction.genesis_hash,
        "jobs": [
            [each.ref.tenant_id, each.ref.job_id, each.entry.job_key, each.entry.result_hash, each.trace_id]
            for each in transaction.jobs
        ],
    }


def _decode(item: Mapping[str, Any]) -> ChainTransaction:
    settlement = item.get("settlement")
    return ChainTransaction(
        signer=item["signer"],
        nonce=int(item["nonce"]),
        raw=bytes(item["raw"].value),
        hash=item["hash"],
        genesis_hash=item["genesis_hash"],
        jobs=tuple(
            Listed(JobRef(tenant_id, job_id), Entry(job_key, result_hash), trace_id)
            for tenant_id, job_id, job_key, result_hash, trace_id in item["jobs"]
        ),
        settlement=Settlement(settlement) if settlement else None,
    )
