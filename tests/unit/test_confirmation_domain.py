"""What the sender does next with a stored transaction, and the hashes that it confirms."""

from dataclasses import replace

import pytest
from Crypto.Hash import keccak
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.confirmation import (
    PATIENCE_BLOCKS,
    Facts,
    Next,
    Receipt,
    Sighting,
    Survey,
    commitment,
    decide,
    job_key,
)

REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
MINED = Receipt(
    transaction_hash="0x" + "cc" * 32,
    succeeded=True,
    block_number=10,
    block_hash="0x" + "bb" * 32,
    gas_used=51_980,
    gas_price_wei=10**9,
    recorded=("0x" + "aa" * 32,),
)
REVERTED = replace(MINED, succeeded=False, recorded=())
NONCE, OFFER, SENT_AT = 4, 30, 20

# receipt, pending?, head, the chain's next nonce and the final one for our 4, base fee → what is next
CASES = {
    "nobody knows it": (None, False, 20, 4, 4, 30, Next.REBROADCAST),
    "nobody knows it, though it was long ago": (None, False, 99, 4, 4, 30, Next.REBROADCAST),
    "an earlier nonce is missing": (None, False, 20, 2, 2, 30, Next.REBROADCAST),
    "in the pool": (None, True, 20, 4, 4, 30, Next.PENDING),
    "in the pool, and the next block may cost all it offers": (None, True, 20, 4, 4, OFFER, Next.PENDING),
    "in the pool behind another": (None, True, 99, 3, 3, 30, Next.PENDING),
    "passed over but once too few": (None, True, 25, 4, 4, 30, Next.PENDING),
    "passed over for long": (None, True, 26, 4, 4, 30, Next.REPLACE),
    "too cheap": (None, True, 20, 4, 4, OFFER + 1, Next.REPLACE),
    "too cheap, behind another": (None, True, 20, 3, 3, OFFER + 1, Next.REPLACE),
    "too cheap, and nobody knows it": (None, False, 20, 4, 4, OFFER + 1, Next.REPLACE),
    "another has its nonce, not for good": (None, False, 20, 5, 4, 30, Next.REBROADCAST),
    "another has its nonce, and the pool has it": (None, True, 99, 5, 4, 30, Next.PENDING),
    "another has its nonce": (None, False, 20, 5, 5, 30, Next.NONCE_TAKEN),
    "another has its nonce, in a stale pool": (None, True, 20, 5, 5, 30, Next.NONCE_TAKEN),
    "another has its nonce, and it is too cheap": (None, False, 20, 5, 5, OFFER + 1, Next.NONCE_TAKEN),
    "mined after the head was read": (MINED, False, 9, 4, 4, 30, Next.MINED_NOT_DEEP),
    "mined in the head": (MINED, False, 10, 5, 4, 30, Next.MINED_NOT_DEEP),
    "one block short": (MINED, False, 11, 5, 4, 30, Next.MINED_NOT_DEEP),
    "just deep enough": (MINED, False, 12, 5, 5, 30, Next.FINAL),
    "deep": (MINED, False, 1_000, 5, 5, 30, Next.FINAL),
    "mined, and still in the pool": (MINED, True, 12, 5, 5, 30, Next.FINAL),
    "mined, and too cheap for the next block": (MINED, False, 11, 5, 5, OFFER + 1, Next.MINED_NOT_DEEP),
    "reverted, and may yet be undone": (REVERTED, False, 11, 5, 4, 30, Next.MINED_NOT_DEEP),
    "reverted for good": (REVERTED, False, 12, 5, 5, 30, Next.REVERTED),
}


def survey_of(*, head: int, next_nonce: int, final_nonce: int, base_fee_wei: int) -> Survey:
    return Survey(
        head=head,
        next_nonce=next_nonce,
        final_nonce=final_nonce,
        balance_wei=0,
        base_fee_wei=base_fee_wei,
        tip_wei=1,
    )


def facts_of(survey: Survey, sighting: Sighting) -> Facts:
    return Facts(
        survey=survey,
        nonce=NONCE,
        sighting=sighting,
        final_depth=FINAL_DEPTH,
        max_fee_wei=OFFER,
        sent_at_block=SENT_AT,
    )


@pytest.mark.parametrize("case", CASES)
def test_next_step_is_the_tables_when_the_facts_are_its(case: str) -> None:
    receipt, is_pending, head, next_nonce, final_nonce, base_fee_wei, expected = CASES[case]
    survey = survey_of(head=head, next_nonce=next_nonce, final_nonce=final_nonce, base_fee_wei=base_fee_wei)
    assert decide(facts_of(survey, Sighting(receipt, is_pending))) is expected


def test_every_step_has_a_case() -> None:
    assert {case[-1] for case in CASES.values()} == set(Next)


heights = st.integers(0, 60)
surveys = st.builds(
    survey_of,
    head=heights,
    next_nonce=st.integers(0, 9),
    final_nonce=st.integers(0, 9),
    base_fee_wei=st.integers(0, 2 * OFFER),
)
receipts = st.builds(replace, st.sampled_from([MINED, REVERTED]), block_number=heights)
sightings = st.builds(Sighting, st.none() | receipts, st.booleans())


@given(surveys, sightings)
def test_nothing_is_over_when_a_reorganisation_can_still_undo_it(survey: Survey, sighting: Sighting) -> None:
    decided = decide(facts_of(survey, sighting))
    mined = sighting.receipt
    if decided in (Next.FINAL, Next.REVERTED):
        assert mined is not None
        assert survey.head - mined.block_number >= FINAL_DEPTH - 1
        assert mined.succeeded is (decided is Next.FINAL)
    if decided is Next.NONCE_TAKEN:
        assert mined is None
        assert survey.final_nonce > NONCE


@given(surveys, sightings)
def test_nothing_is_sent_when_a_block_or_a_pool_that_may_yet_serve_has_it(
    survey: Survey, sighting: Sighting
) -> None:
    decided = decide(facts_of(survey, sighting))
    if decided is Next.REBROADCAST:
        assert sighting == Sighting()
    if decided is Next.REPLACE:
        assert sighting.receipt is None
        is_passed_over = survey.next_nonce == NONCE and survey.head >= SENT_AT + PATIENCE_BLOCKS
        assert survey.base_fee_wei > OFFER or is_passed_over


@given(surveys, sightings, st.integers(1, 60))
def test_what_is_final_stays_final_when_the_chain_grows(
    survey: Survey, sighting: Sighting, blocks: int
) -> None:
    if decide(facts_of(survey, sighting)) is Next.FINAL:
        later = replace(survey, head=survey.head + blocks)
        assert decide(facts_of(later, sighting)) is Next.FINAL


@given(st.integers(0, 2**256 - 1), st.text(), st.text())
def test_job_key_is_the_hash_of_the_abi_encoding_when_the_texts_are_any(
    chain_id: int, tenant_id: str, job_id: str
) -> None:
    types = ["uint256", "address", "string", "string"]
    encoded = encode(types, [chain_id, REGISTRY, tenant_id, job_id])
    expected = "0x" + keccak.new(digest_bits=256, data=encoded).hexdigest()
    assert job_key(chain_id, REGISTRY, tenant_id, job_id) == expected


def test_job_key_differs_when_any_one_part_does() -> None:
    other = "0x" + "11" * 20
    keys = [
        job_key(1, REGISTRY, "ab", "c"),
        job_key(2, REGISTRY, "ab", "c"),
        job_key(1, other, "ab", "c"),
        job_key(1, REGISTRY, "a", "bc"),
        job_key(1, REGISTRY, "abc", ""),
    ]
    assert len(set(keys)) == len(keys)


def test_job_key_is_the_same_when_the_registry_is_written_without_capitals() -> None:
    assert job_key(1, REGISTRY.lower(), "a", "b") == job_key(1, REGISTRY, "a", "b")


def test_commitment_differs_when_the_salt_or_the_content_does() -> None:
    salt, other = bytes(32), bytes(31) + b"\1"
    assert len({commitment(salt, b"1"), commitment(other, b"1"), commitment(salt, b"1 ")}) == 3
