"""What must hold of the sender's work, read from the tables and, block by block, from the chain."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from chalicelib.domain.chain_call import compact_hash, proves, word_of
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.confirmation import job_key
from chalicelib.domain.job import Job, JobRef, Status
from chalicelib.domain.merkle import keccak256
from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.chain.conftest import Bench
from tests.chain.sender import IN_FULL, confirming, finish, rows
from tests.unit.world import World

JOB_CONFIRMED = "0x" + keccak256(b"JobConfirmed(bytes32,bytes32)").hex()
COMPACT_CONFIRMED = "0x" + keccak256(b"CompactConfirmed(uint256,uint256,bytes32)").hex()


def go_on(world: World, bench: Bench, refs: Sequence[JobRef]) -> None:
    """They are finished, and all is as it should be."""
    finish(world, bench, refs)
    audit(world, bench, refs)


def go_on_after(
    world: World, bench: Bench, before: str, refs: Sequence[JobRef], path: ConfirmationPath
) -> None:
    """A reorganisation undoes all since then, another job comes, and all jobs are finished once more."""
    bench.rpc("evm_revert", before)
    all_jobs = [*refs, *confirming(world, path, name="later")]
    finish(world, bench, all_jobs)
    audit(world, bench, all_jobs, moved=refs)


def audit(
    world: World,
    bench: Bench,
    refs: Sequence[JobRef],
    *,
    strangers: Sequence[str] = (),
    moved: Sequence[JobRef] = (),
) -> None:
    """Invariants 7 to 9 and 12 of these jobs, who are all of the registry's, from the tables and the chain.

    `strangers` are hashes that someone else signed with our key; `moved` are jobs of `refs` whose block was
    undone after it was final, and which stand in another since.
    """
    jobs = [world.job(ref) for ref in refs]
    assert {(job.status, job.version) for job in jobs} == {(Status.SUCCEEDED, 4)}
    logs = registry_logs(bench)
    for job in jobs:
        _audit_job(world, bench, job, has_moved=job.ref in moved)
    direct = {key_of(job, bench) for job in jobs if job.path is ConfirmationPath.DIRECT}
    confirmed = Counter(log["topics"][1] for log in logs if log["topics"][0] == JOB_CONFIRMED)
    assert confirmed == Counter(direct)
    _audit_roots(world, logs, jobs)
    for signer in world.signers.roster().signers:
        _audit_nonces(world, bench, signer.address, strangers)


def _audit_job(world: World, bench: Bench, job: Job, *, has_moved: bool) -> None:
    """What its tenant is shown is what the canonical chain holds."""
    told, result = job.confirmation, job.result
    assert told is not None
    assert result is not None
    receipt = world.chain.sightings([told.transaction_hash])[0].receipt
    assert receipt is not None, "a job is shown as succeeded by a transaction that is not mined"
    assert receipt.succeeded
    if not has_moved:
        assert (told.block_number, told.gas_price_wei) == (receipt.block_number, receipt.gas_price_wei)
    assert told.depth >= FINAL_DEPTH
    assert told.job_key == key_of(job, bench)
    if job.path is ConfirmationPath.DIRECT:
        assert list(world.chain.recorded_hashes([told.job_key])) == [result.commitment]
        assert world.chain.recorded_at(told.job_key).transaction_hash == told.transaction_hash
    else:
        _audit_proof(world, job, told)


def _audit_proof(world: World, job: Job, told: Confirmation) -> None:
    proof = told.inclusion
    assert proof is not None, "a compact job carries its proof"
    entry = next(each.entry for row in rows(world) for each in row.jobs if each.ref == job.ref)
    assert proves(proof, entry)
    assert world.chain.compact_hash(proof.word) == compact_hash(proof.mask, proof.root)


def _audit_roots(world: World, logs: Sequence[Any], jobs: Sequence[Job]) -> None:
    """Every word on the chain is one of our rows, and every compact job is under one of them."""
    words = [int(log["topics"][1], 16) for log in logs if log["topics"][0] == COMPACT_CONFIRMED]
    assert len(words) == len(set(words))
    by_word = {word_of(row.id.account.signer, row.nonce): row for row in rows(world)}
    under = Counter(each.ref for word in words for each in by_word[word].jobs)
    assert under == Counter(job.ref for job in jobs if job.path is ConfirmationPath.COMPACT)


def _audit_nonces(world: World, bench: Bench, signer: str, strangers: Sequence[str]) -> None:
    """0…n-1 each mined once, each by an attempt of its row, and none is left over."""
    mined = mined_by(bench, signer)
    assert [nonce for nonce, _ in mined] == list(range(len(mined)))
    mine_rows = {row.nonce: row for row in rows(world) if row.id.account.signer == signer}
    for nonce, transaction_hash in mined:
        if transaction_hash not in strangers:
            assert transaction_hash in [each.hash for each in mine_rows[nonce].attempts]
    assert max(mine_rows, default=-1) < len(mined), "a row's nonce is not mined"
    assert all(row.settlement for row in mine_rows.values())


def mined_by(bench: Bench, signer: str) -> list[tuple[int, str]]:
    """Nonce and hash of every transaction of the signer's on the canonical chain, read block by block."""
    found: list[tuple[int, str]] = []
    number = int(bench.rpc("eth_blockNumber"), 16)
    while int(bench.rpc("eth_getTransactionCount", signer, hex(number)), 16):
        block = bench.rpc("eth_getBlockByNumber", hex(number), IN_FULL)
        found += [
            (int(each["nonce"], 16), each["hash"])
            for each in block["transactions"]
            if each["from"] == signer.lower()
        ]
        number -= 1
    return sorted(found)


def registry_logs(bench: Bench) -> list[Any]:
    """Every event that confirms, that the registry ever emitted."""
    wanted = {
        "address": bench.registry,
        "fromBlock": "0x0",
        "toBlock": "latest",
        "topics": [[JOB_CONFIRMED, COMPACT_CONFIRMED]],
    }
    return list(bench.rpc("eth_getLogs", wanted))


def key_of(job: Job, bench: Bench) -> str:
    """The job's key in this registry."""
    return job_key(31337, bench.registry, job.ref.tenant_id, job.ref.job_id)
