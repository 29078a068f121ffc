"""One suite for the sender's leases and rows, in memory and in DynamoDB."""

from dataclasses import replace
from datetime import timedelta

import pytest

from chalicelib.adapters.dynamodb_chain import ROWS_A_PAGE, DynamoDbChainTransactions
from chalicelib.adapters.memory import MemoryJobs
from chalicelib.adapters.memory_transactions import MemoryChainTransactions
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.chain_transaction import (
    Attempt,
    ChainTransaction,
    Listed,
    Mined,
    Settlement,
)
from chalicelib.domain.confirmation import Entry
from chalicelib.domain.errors import LeaseHeld, Superseded
from chalicelib.domain.fees import Fees
from chalicelib.domain.job import JobRef
from chalicelib.domain.transaction_id import Account, ConfirmationPath, TransactionId
from chalicelib.ports import ChainTransactions
from tests.conformance.real_ports import make_resources, tables
from tests.unit.world import START

IDS = RandomIds()
LATER = START + timedelta(seconds=60)


@pytest.fixture(params=["memory", "real"])
def transactions(request: pytest.FixtureRequest) -> ChainTransactions:
    if request.param == "memory":
        return MemoryChainTransactions(MemoryJobs())
    endpoint = request.getfixturevalue("aws_endpoint")
    make_resources(endpoint)
    return DynamoDbChainTransactions(tables(endpoint))


@pytest.fixture
def account() -> Account:
    return Account(IDS.new_id("0x"), "0x67")


def attempt(name: str, gwei: int = 2) -> Attempt:
    fees = Fees(max_fee_wei=gwei * 10**9, max_priority_fee_wei=2**60)
    return Attempt(raw=b"\x02" + name.encode(), hash=f"0x{name}", fees=fees)


def transaction(account: Account, nonce: int, *refs: JobRef) -> ChainTransaction:
    return ChainTransaction(
        id=TransactionId(account, nonce),
        path=ConfirmationPath.COMPACT,
        jobs=tuple(Listed(ref, Entry("0x" + "11" * 32, "0x" + "22" * 32), "t") for ref in refs),
        gas=2**24,
        attempts=(attempt(f"first{nonce}"),),
        sent_at_block=7,
    )


def test_a_lease_is_refused_when_another_is_live(transactions: ChainTransactions, account: Account) -> None:
    first = transactions.lease(account, now=START, until=LATER)
    with pytest.raises(LeaseHeld):
        transactions.lease(account, now=START, until=LATER)
    transactions.release(first)
    second = transactions.lease(account, now=START, until=LATER)
    third = transactions.lease(account, now=LATER, until=LATER + timedelta(seconds=60))
    assert [lease.epoch for lease in (first, second, third)] == [1, 2, 3]


def test_an_older_epoch_writes_nothing_when_its_lease_was_taken(
    transactions: ChainTransactions, account: Account
) -> None:
    old = transactions.lease(account, now=START, until=START)
    new = transactions.lease(account, now=START, until=START)
    row = transaction(account, 0)
    with pytest.raises(Superseded):
        transactions.record(old, row, [])
    assert list(transactions.unsettled(new)) == []
    recorded = transactions.record(new, row, [])
    with pytest.raises(Superseded):
        transactions.settle(old, replace(row, settlement=Settlement.FINAL), first_unsettled=1)
    with pytest.raises(Superseded):
        transactions.amend(old, replace(row, attempts=(*row.attempts, attempt("more"))))
    assert list(transactions.unsettled(recorded)) == [row]
    transactions.release(old)
    assert transactions.record(recorded, transaction(account, 1), []).next_nonce == 2


def test_a_nonces_row_is_never_overwritten_when_it_is_signed_twice(
    transactions: ChainTransactions, account: Account
) -> None:
    lease = transactions.lease(account, now=START, until=START)
    transactions.record(lease, transaction(account, 0), [])
    again = transactions.lease(account, now=START, until=START)
    with pytest.raises(Superseded):
        transactions.record(again, replace(transaction(account, 0), attempts=(attempt("other"),)), [])
    assert list(transactions.unsettled(again)) == [transaction(account, 0)]


def test_every_attempt_reads_back_when_a_row_was_amended(
    transactions: ChainTransactions, account: Account
) -> None:
    lease = transactions.lease(account, now=START, until=START)
    row = transaction(account, 0, JobRef("ten_1", "job_1"))
    lease = transactions.record(lease, row, [])
    replaced = replace(row, attempts=(*row.attempts, attempt("second", gwei=100)), sent_at_block=2**40)
    mined = replace(replaced, mined=Mined(hash="0xfirst0", block_number=2**40, depth=1))
    for after in (replaced, mined, replaced):  # a reorganisation takes the block away
        transactions.amend(lease, after)
        assert transactions.get(row.id) == after
        assert list(transactions.unsettled(lease)) == [after]


def test_a_row_is_open_again_without_its_jobs_when_it_is_to_fill_its_nonce(
    transactions: ChainTransactions, account: Account
) -> None:
    lease = transactions.lease(account, now=START, until=START)
    rows = [transaction(account, nonce, JobRef("ten_1", f"job_{nonce}")) for nonce in range(2)]
    for row in rows:
        lease = transactions.record(lease, row, [])
        lease = transactions.settle(
            lease, replace(row, settlement=Settlement.REVERTED), first_unsettled=lease.next_nonce
        )
    attempts = (*rows[0].attempts, attempt("filling"))
    fill = replace(rows[0], path=None, jobs=(), gas=21_000, attempts=attempts)
    transactions.amend(lease.recorded(0), fill)
    again = transactions.lease(account, now=START, until=START)
    assert (again.next_nonce, again.first_unsettled) == (2, 0)
    assert list(transactions.unsettled(again)) == [fill]


def test_a_lease_is_seen_and_not_taken_when_somebody_peeks(
    transactions: ChainTransactions, account: Account
) -> None:
    assert transactions.peek(account).epoch == 0
    lease = transactions.lease(account, now=START, until=LATER)
    assert transactions.peek(account) == lease
    recorded = transactions.record(lease, transaction(account, 3), [])
    assert transactions.peek(account) == recorded
    with pytest.raises(LeaseHeld):
        transactions.lease(account, now=START, until=LATER)


def test_a_filling_row_reads_back_below_those_after_it_when_it_comes_later(
    transactions: ChainTransactions, account: Account
) -> None:
    lease = transactions.lease(account, now=START, until=START)
    lease = transactions.record(lease, transaction(account, 5), [])
    settled = replace(transaction(account, 5), settlement=Settlement.FINAL)
    lease = transactions.settle(lease, settled, first_unsettled=6)
    fill = replace(transaction(account, 2), path=None)
    lease = transactions.record(lease, fill, [])
    again = transactions.lease(account, now=START, until=START)
    assert (again.next_nonce, again.first_unsettled) == (6, 2)
    assert list(transactions.unsettled(again)) == [fill]


def test_unsettled_rows_are_found_in_order_when_some_are_settled(
    transactions: ChainTransactions, account: Account
) -> None:
    lease = transactions.lease(account, now=START, until=START)
    for nonce in range(12):
        lease = transactions.record(lease, transaction(account, nonce), [])
    for nonce, ending in ((0, Settlement.FINAL), (2, Settlement.REVERTED), (3, Settlement.NONCE_TAKEN)):
        settled = replace(transaction(account, nonce), settlement=ending)
        lease = transactions.settle(lease, settled, first_unsettled=1)
        assert transactions.get(settled.id) == settled
    assert [row.nonce for row in transactions.unsettled(lease)] == [1, *range(4, 12)]
    again = transactions.lease(account, now=START, until=START)
    assert (again.next_nonce, again.first_unsettled) == (12, 1)


def test_every_row_is_listed_in_order_when_there_are_more_than_a_page(
    transactions: ChainTransactions, account: Account
) -> None:
    rows = [transaction(account, nonce) for nonce in range(2 * ROWS_A_PAGE + 1)]
    lease = transactions.lease(account, now=START, until=START)
    for row in rows:
        lease = transactions.record(lease, row, [])
    settled = [replace(rows[0], settlement=Settlement.FINAL), *rows[1:]]
    transactions.settle(lease, settled[0], first_unsettled=1)
    assert list(transactions.rows(account)) == settled


def test_nothing_is_shared_when_a_signer_has_accounts_on_two_chains(
    transactions: ChainTransactions, account: Account
) -> None:
    restarted = replace(account, genesis_hash="0x68")
    old = transactions.lease(account, now=START, until=LATER)
    transactions.record(old, transaction(account, 0), [])
    new = transactions.lease(restarted, now=START, until=LATER)
    assert (new.epoch, new.next_nonce) == (1, 0)
    row = transaction(restarted, 0, JobRef("ten_1", "job_1"))
    transactions.record(new, row, [])
    assert list(transactions.rows(restarted)) == list(transactions.unsettled(new)) == [row]
    assert list(transactions.rows(account)) == [transaction(account, 0)]
    assert transactions.get(TransactionId(restarted, 1)) is None
