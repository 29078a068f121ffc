"""What the sender does next with a stored transaction, and the hashes that it confirms."""

from dataclasses import replace

import pytest
from Crypto.Hash import keccak
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain.confirmation import Facts, Next, Receipt, commitment, decide, job_key

REGISTRY = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
MINED = Receipt(
    succeeded=True,
    block_number=10,
    block_hash="0x" + "bb" * 32,
    gas_used=51_980,
    gas_price_wei=10**9,
    recorded=("0x" + "aa" * 32,),
)
REVERTED = replace(MINED, succeeded=False, recorded=())

# same chain?, receipt, head, pending?, the chain's next nonce for our 4 → what is next
CASES = {
    "nobody knows it": (True, None, 20, False, 4, Next.REBROADCAST),
    "an earlier nonce is missing": (True, None, 20, False, 2, Next.REBROADCAST),
    "in the pool": (True, None, 20, True, 4, Next.PENDING),
    "in the pool behind another": (True, None, 20, True, 3, Next.PENDING),
    "in a stale pool": (True, None, 20, True, 5, Next.PENDING),
    "another has its nonce": (True, None, 20, False, 5, Next.NONCE_TAKEN),
    "mined after the head was read": (True, MINED, 9, False, 4, Next.MINED_NOT_DEEP),
    "mined in the head": (True, MINED, 10, False, 5, Next.MINED_NOT_DEEP),
    "one block short": (True, MINED, 11, False, 5, Next.MINED_NOT_DEEP),
    "just deep enough": (True, MINED, 12, False, 5, Next.FINAL),
    "deep": (True, MINED, 1_000, False, 5, Next.FINAL),
    "mined, and still in the pool": (True, MINED, 12, True, 5, Next.FINAL),
    "reverted, and may yet be undone": (True, REVERTED, 11, False, 5, Next.MINED_NOT_DEEP),
    "reverted for good": (True, REVERTED, 12, False, 5, Next.REVERTED),
    "the chain is another": (False, None, 20, False, 4, Next.WRONG_CHAIN),
    "the other chain mined the same bytes": (False, MINED, 20, False, 5, Next.WRONG_CHAIN),
}


@pytest.mark.parametrize("case", CASES)
def test_next_step_is_the_tables_when_the_facts_are_its(case: str) -> None:
    same_chain, receipt, head, pending, next_nonce, expected = CASES[case]
    facts = Facts(
        same_chain=same_chain,
        receipt=receipt,
        head=head,
        final_depth=3,
        pending=pending,
        nonce=4,
        next_nonce=next_nonce,
    )
    assert decide(facts) is expected


def test_every_step_has_a_case() -> None:
    assert {case[-1] for case in CASES.values()} == set(Next)


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
