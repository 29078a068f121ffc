"""One suite for what tenants are shown of the sender's transactions, in memory and in DynamoDB."""

from dataclasses import replace

from chalicelib.domain.chain_transaction import Mined, Settlement, TransactionProgress
from chalicelib.domain.transaction_id import Account, ConfirmationPath, TransactionId
from chalicelib.ports import ChainTransactions
from tests.conformance.test_chain_transactions import LATER, attempt, transaction, transactions
from tests.conformance.test_placed_jobs import Ports, account, confirming, placed, ports
from tests.unit.world import START

__all__ = ["account", "ports", "transactions"]

SEEN = Mined(hash="0xmore", block_number=2**40, depth=2)


def test_progress_follows_the_row_when_it_is_recorded_amended_settled_and_filled(
    ports: Ports, account: Account
) -> None:
    jobs, transactions = ports
    lease = transactions.lease(account, now=START, until=LATER)
    found = confirming(jobs, 2)
    row = transaction(account, 3, *(job.ref for job in found))
    lease = transactions.record(lease, row, placed(found, row))
    shown = [transactions.progress([row.id])]
    sent = replace(row, attempts=(*row.attempts, attempt("more")))
    transactions.amend(lease, sent)
    shown.append(transactions.progress([row.id]))
    mined = replace(sent, mined=SEEN)
    transactions.amend(lease, mined)
    shown.append(transactions.progress([row.id]))
    reverted = replace(mined, settlement=Settlement.REVERTED)
    lease = transactions.settle(lease, reverted, first_unsettled=4)
    shown.append(transactions.progress([row.id]))
    filled = replace(row, path=None, jobs=(), attempts=(*sent.attempts, attempt("fill")))
    transactions.amend(lease, filled)
    shown.append(transactions.progress([row.id]))
    path = ConfirmationPath.COMPACT
    assert [each[row.id] for each in shown] == [
        TransactionProgress(path=path, latest_hash="0xfirst3"),
        TransactionProgress(path=path, latest_hash="0xmore"),
        TransactionProgress(path=path, latest_hash="0xmore", mined=SEEN),
        TransactionProgress(path=path, latest_hash="0xmore", mined=SEEN, settlement=Settlement.REVERTED),
        TransactionProgress(path=None, latest_hash="0xfill"),
    ]


def test_each_row_is_told_when_many_are_asked_for(transactions: ChainTransactions, account: Account) -> None:
    other = Account(account.signer, "0x68")
    rows = []
    for each in (account, other):
        lease = transactions.lease(each, now=START, until=LATER)
        for nonce in range(2):
            rows.append(replace(transaction(each, nonce), attempts=(attempt(f"{each.genesis_hash}{nonce}"),)))
            lease = transactions.record(lease, rows[-1], [])
    asked = [row.id for row in rows] + [TransactionId(account, 2)]
    assert transactions.progress(asked) == {row.id: row.progress for row in rows}
    assert transactions.progress([]) == {}
