"""The verifier of the users' side against a real registry: whoever lies, its report names what is wrong."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3

from chalicelib.domain.chain_call import Inclusion, compact_call, inclusions
from chalicelib.domain.confirmation import Entry, commitment, job_key
from client.documents import Confirmation, Job, Proof, Result, Status
from client.verify import Registry, Report
from emulation.chain import CHAIN_ID
from tests.chain.conftest import Bench

ABI = json.loads((Path("chalicelib") / "adapters" / "registry_abi.json").read_text())
TENANT, JOB = "ten_1", "job_1"
CONTENT, SALT = '{"digest":"0x00"}', bytes(31) + b"\x01"
NONCE = 0
NOW = datetime(2026, 11, 23, 5, tzinfo=UTC)
OTHER_WORD = "0x" + "77" * 32


@dataclass(frozen=True, slots=True)
class Told:
    """What the service says of a job, and of whom it is."""

    job: Job
    result: Result
    tenant_id: str = TENANT

    def verified(self, bench: Bench) -> Report:
        registry = Registry(Web3(HTTPProvider(bench.rpc_url)), bench.registry)
        return registry.verify(self.job, self.result, tenant_id=self.tenant_id)

    def with_confirmation(self, **changes: Any) -> "Told":
        return replace(self, job=replace(self.job, confirmation=replace(self.said, **changes)))

    def with_proof(self, **changes: Any) -> "Told":
        assert self.said.proof is not None
        return self.with_confirmation(proof=replace(self.said.proof, **changes))

    @property
    def said(self) -> Confirmation:
        assert self.job.confirmation is not None
        return self.job.confirmation


def entry_of(bench: Bench) -> Entry:
    key = job_key(CHAIN_ID, bench.registry, TENANT, JOB)
    return Entry(key, commitment(SALT, CONTENT.encode()))


def told(bench: Bench, transaction_hash: str, inclusion: Inclusion | None) -> Told:
    receipt, entry = bench.receipt(transaction_hash), entry_of(bench)
    assert receipt is not None
    confirmation = Confirmation(
        path="compact" if inclusion else "direct",
        state="final",
        chain_id=CHAIN_ID,
        registry=bench.registry,
        job_key=entry.job_key,
        transaction_hash=transaction_hash,
        block_number=receipt.block_number,
        depth=3,
        gas_used=1,
        gas_price_wei=1,
        proof=inclusion and proof_of(inclusion),
    )
    job = Job(
        id=JOB,
        type="sha256.chain",
        status=Status.SUCCEEDED,
        version=4,
        created_at=NOW,
        entered={},
        progress=None,
        confirmation=confirmation,
        error=None,
        url="",
    )
    salt = f"0x{SALT.hex()}"
    return Told(job, Result(job_id=JOB, content=CONTENT, sha256="", salt=salt, commitment=entry.result_hash))


def proof_of(inclusion: Inclusion) -> Proof:
    return Proof(
        word=f"0x{inclusion.word:064x}",
        bit=inclusion.bit,
        mask=f"0x{inclusion.mask:064x}",
        root=inclusion.root,
        siblings=inclusion.proof,
    )


@pytest.fixture
def batch(bench: Bench) -> list[Entry]:
    return [*bench.entries(2), entry_of(bench), *bench.entries(2)]


@pytest.fixture
def compact(bench: Bench, batch: list[Entry]) -> Told:
    """A job that the registry has in a compact batch, at the third place of five."""
    signed = bench.sign_call(compact_call(bench.signer, NONCE, batch), nonce=NONCE)
    bench.mine(signed)
    return told(bench, signed.hash, inclusions(bench.signer, NONCE, batch)[2])


@pytest.fixture
def direct(bench: Bench, batch: list[Entry]) -> Told:
    """The same in a batch of jobs that are recorded each by itself."""
    signed = bench.sign(batch, nonce=NONCE)
    bench.mine(signed)
    return told(bench, signed.hash, None)


def test_everything_agrees_when_the_service_tells_the_truth(bench: Bench, compact: Told) -> None:
    report = compact.verified(bench)
    assert (report.wrong, report.agrees) == ((), True)
    assert [name for name, _ in report.findings()] == [
        "commitment",
        "job key",
        "recorded hash",
        "block",
        "transaction",
        "root",
        "place",
        "batch",
        "inclusion",
    ]


EVENT = ("block", "transaction")
LIES: dict[str, tuple[Callable[[Told], Told], tuple[str, ...]]] = {
    "content": (
        lambda each: replace(each, result=replace(each.result, content=CONTENT + " ")),
        ("commitment", "root", "inclusion"),
    ),
    "salt": (
        lambda each: replace(each, result=replace(each.result, salt=OTHER_WORD)),
        ("commitment", "root", "inclusion"),
    ),
    "tenant": (lambda each: replace(each, tenant_id="ten_2"), ("job key", "root", "inclusion")),
    "job": (
        lambda each: replace(each, job=replace(each.job, id="job_2")),
        ("job key", "root", "inclusion"),
    ),
    "key": (lambda each: each.with_confirmation(job_key=OTHER_WORD), ("job key",)),
    "block": (lambda each: each.with_confirmation(block_number=0), EVENT),
    "transaction": (lambda each: each.with_confirmation(transaction_hash=OTHER_WORD), ("transaction",)),
    "bit": (lambda each: each.with_proof(bit=3), ("root", "inclusion")),
    "bit outside of the mask": (lambda each: each.with_proof(bit=5), ("root", "place", "inclusion")),
    "mask": (lambda each: each.with_proof(mask="0x" + "ff" * 32), (*EVENT, "batch", "inclusion")),
    "root": (lambda each: each.with_proof(root=OTHER_WORD), (*EVENT, "root", "batch", "inclusion")),
    "siblings": (lambda each: each.with_proof(siblings=(OTHER_WORD,)), ("root", "inclusion")),
    "no siblings": (lambda each: each.with_proof(siblings=()), ("root", "inclusion")),
    "word": (
        lambda each: each.with_proof(word=f"0x{int(each.said.proof.word, 16) + 1:064x}"),
        (*EVENT, "root", "batch", "inclusion"),
    ),
    "path": (lambda each: each.with_confirmation(proof=None), ("recorded hash", *EVENT)),
    "nothing": (
        lambda each: replace(each, job=replace(each.job, confirmation=None)),
        ("job key", "recorded hash", *EVENT),
    ),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_wrong_is_named_when_the_service_lies_about_a_compact_job(
    bench: Bench, compact: Told, lie: str
) -> None:
    told_otherwise, wrong = LIES[lie]
    report = told_otherwise(compact).verified(bench)
    assert (report.wrong, report.agrees) == (wrong, False)


def test_a_proof_of_another_registry_is_worth_nothing_here(bench: Bench, batch: list[Entry]) -> None:
    signed = bench.sign(bench.entries(1), nonce=NONCE)
    bench.mine(signed)
    elsewhere = told(bench, signed.hash, inclusions(bench.signer, NONCE, batch)[2])
    assert elsewhere.verified(bench).wrong == (*EVENT, "batch", "inclusion")


def test_another_hash_under_the_jobs_own_key_is_told_when_it_is_in_a_batch_too(
    bench: Bench, compact: Told
) -> None:
    bench.mine(bench.sign([replace(entry_of(bench), result_hash=OTHER_WORD)], nonce=NONCE + 1))
    assert compact.verified(bench).wrong == ("recorded hash",)


def test_everything_agrees_when_somebody_has_materialized_the_job(bench: Bench, compact: Told) -> None:
    web3, entry, proof = Web3(HTTPProvider(bench.rpc_url)), entry_of(bench), compact.said.proof
    assert proof is not None
    inclusion = (
        int(proof.word, 16),
        proof.bit,
        int(proof.mask, 16),
        HexBytes(proof.root),
        [HexBytes(each) for each in proof.siblings],
    )
    registry = web3.eth.contract(address=Web3.to_checksum_address(bench.registry), abi=ABI)
    call = registry.functions.materialize(HexBytes(entry.job_key), HexBytes(entry.result_hash), inclusion)
    call.transact({"from": web3.eth.accounts[5]})
    bench.rpc("evm_mine")
    assert bench.chain.recorded_hashes([entry.job_key]) == [entry.result_hash]
    assert compact.verified(bench).wrong == ()


def test_what_is_wrong_is_named_when_the_service_lies_about_a_direct_job(bench: Bench, direct: Told) -> None:
    assert direct.verified(bench).wrong == ()
    changed = replace(direct, result=replace(direct.result, content="{}"))
    assert changed.verified(bench).wrong == ("commitment", "recorded hash")
    assert direct.with_confirmation(block_number=0).verified(bench).wrong == EVENT
    assert replace(direct, tenant_id="ten_2").verified(bench).wrong == ("job key", "recorded hash", *EVENT)


def test_nothing_of_the_chain_agrees_when_the_job_is_not_there_yet(bench: Bench, batch: list[Entry]) -> None:
    signed = bench.sign(bench.entries(1), nonce=NONCE)
    bench.mine(signed)
    early = told(bench, signed.hash, None).with_confirmation(
        state="pending", transaction_hash=None, block_number=None, depth=0
    )
    assert early.verified(bench).wrong == ("recorded hash", *EVENT)
