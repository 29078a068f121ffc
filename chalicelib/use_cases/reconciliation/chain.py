"""Confirmed jobs against the chain: each is recorded once, where it says, for the gas that it says."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.chain_call import compact_hash, proves
from chalicelib.domain.confirmation import Entry, Receipt, job_key
from chalicelib.domain.confirmation_view import Deployment
from chalicelib.domain.job import Job, Status
from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.transaction_id import ConfirmationPath
from chalicelib.ports import Chain
from chalicelib.use_cases.closing import gas_share
from chalicelib.use_cases.reconciliation.report import Difference, Figure, Kind, Scope


@dataclass(slots=True, kw_only=True)
class CompareConfirmations:
    """Looks at a page of jobs at a time, and keeps the first and the last block that bear a job out.

    Of a job only the first difference is told: what it lacks in the registry explains the others.
    """

    chain: Chain
    deployment: Deployment
    first_block: int | None = None
    last_block: int = 0

    def see(self, scope: Scope, jobs: Sequence[Job], figures: Counter[Figure]) -> Iterator[Difference]:
        """Each of the jobs that the chain does not bear out, of those that were confirmed in the scope."""
        confirmed = [
            (job, job.confirmation)
            for job in jobs
            if job.confirmation and scope.month.start <= job.entered[Status.SUCCEEDED] < scope.until
        ]
        if not confirmed:
            return
        figures[Figure.CONFIRMATIONS] += len(confirmed)
        records = self._records(confirmed)
        receipts = self._receipts(confirmed)
        for job, confirmation in confirmed:
            record, receipt = records[confirmation.job_key], receipts[confirmation.transaction_hash]
            if found := _first_difference(scope, job, confirmation, self.deployment, record, receipt):
                yield found
            else:
                block = confirmation.block_number
                self.first_block = block if self.first_block is None else min(block, self.first_block)
                self.last_block = max(block, self.last_block)

    def _records(self, confirmed: Sequence[tuple[Job, Confirmation]]) -> dict[str, str]:
        """What the registry has of each job key: its commitment, or what it has of its compact batch."""
        keys = [each.job_key for job, each in confirmed if job.path is ConfirmationPath.DIRECT]
        found = dict(zip(keys, self.chain.recorded_hashes(keys) if keys else (), strict=True))
        words = dict.fromkeys(each.inclusion.word for _, each in confirmed if each.inclusion)
        batches = {word: self.chain.compact_hash(word) for word in words}
        for job, each in confirmed:
            if job.path is ConfirmationPath.COMPACT:
                found[each.job_key] = batches[each.inclusion.word] if each.inclusion else "no proof"
        return found

    def _receipts(self, confirmed: Sequence[tuple[Job, Confirmation]]) -> dict[str, Receipt | None]:
        hashes = list(dict.fromkeys(each.transaction_hash for _, each in confirmed))
        sightings = self.chain.sightings(hashes)
        return {each: sighting.receipt for each, sighting in zip(hashes, sightings, strict=True)}


def _first_difference(
    scope: Scope,
    job: Job,
    confirmation: Confirmation,
    deployment: Deployment,
    record: str,
    receipt: Receipt | None,
) -> Difference | None:
    for kind, (expected, found) in _checks(job, confirmation, deployment, record, receipt):
        if expected != found:
            place = f"transaction {confirmation.transaction_hash}, block {confirmation.block_number}"
            evidence = f"job key {confirmation.job_key}, {place}"
            return scope.difference(kind, job.ref.job_id, expected=expected, found=found, evidence=evidence)
    return None


def _checks(
    job: Job, confirmation: Confirmation, deployment: Deployment, record: str, receipt: Receipt | None
) -> Iterator[tuple[Kind, tuple[str, str]]]:
    """What is expected and what is found, each if all before it agree."""
    yield Kind.CHAIN_RECORD, _record(job, confirmation, deployment, record)
    yield Kind.TRANSACTION, _transaction(job, confirmation, receipt)
    if receipt:
        yield Kind.GAS_SHARE, _gas(confirmation, receipt)


def _record(job: Job, confirmation: Confirmation, deployment: Deployment, record: str) -> tuple[str, str]:
    """Of a compact job what the registry keeps of its batch, if the proof leads there from the job."""
    assert job.result is not None, "only what has a result is confirmed"
    key = job_key(deployment.chain_id, deployment.registry, job.ref.tenant_id, job.ref.job_id)
    if key != confirmation.job_key:
        return f"the job key {key}", f"the job key {confirmation.job_key} on {confirmation.registry}"
    if job.path is ConfirmationPath.DIRECT:
        return job.result.commitment, record
    inclusion = confirmation.inclusion
    if inclusion is None or not proves(inclusion, Entry(key, job.result.commitment)):
        return "a proof of the job", "none that holds"
    return compact_hash(inclusion.mask, inclusion.root), record


def _transaction(job: Job, confirmation: Confirmation, receipt: Receipt | None) -> tuple[str, str]:
    expected = f"took effect in block {confirmation.block_number}"
    if receipt is None:
        return expected, "in no canonical block"
    if not receipt.succeeded:
        return expected, f"reverted in block {receipt.block_number}"
    if job.path is ConfirmationPath.DIRECT and confirmation.job_key not in receipt.recorded:
        return f"{expected}, with the job", "without the job"
    return expected, f"took effect in block {receipt.block_number}"


def _gas(confirmation: Confirmation, receipt: Receipt) -> tuple[str, str]:
    """The share that each job of the transaction has by its place, so that all of them sum up to its gas."""
    if confirmation.inclusion:
        jobs, place = confirmation.inclusion.mask.bit_count(), confirmation.inclusion.bit
    else:
        jobs, place = len(receipt.recorded), receipt.recorded.index(confirmation.job_key)
    price_wei = confirmation.gas_price_wei
    # Jobs of before release 1.2 have no price.
    paid_wei = receipt.gas_price_wei if price_wei is not None else None
    return (
        f"{gas_share(receipt, jobs, place)} of {receipt.gas_used} at {paid_wei} wei",
        f"{confirmation.gas_used} of {receipt.gas_used} at {price_wei} wei",
    )
