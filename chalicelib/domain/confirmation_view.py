"""How far a job's confirmation is, as its tenant sees it.

Pure: told by the job, and by what is stored of the transaction that stands for it.
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from chalicelib.domain.chain_call import Inclusion
from chalicelib.domain.chain_transaction import Settlement, TransactionProgress
from chalicelib.domain.confirmation import job_key
from chalicelib.domain.job import Job, Status
from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.transaction_id import ConfirmationPath, TransactionId


class ConfirmationState(StrEnum):
    """Where a confirmation is; a reorganisation may send it back to any state before `final`."""

    PENDING = "pending"  # no transaction stands for the job
    BROADCAST = "broadcast"  # one is signed and stored, and is sent until a block has it
    MINED = "mined"  # a block has it, and may still be replaced by another
    FINAL = "final"  # the block is deep enough, and the job has succeeded


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """The registry that confirms what is not confirmed yet: an address on one chain."""

    chain_id: int
    genesis_hash: str
    registry: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfirmationView:
    """What is known of a confirmation: the transaction from `broadcast` on, its block from `mined` on.

    `depth` is as the sender last saw it; what a final one took, and its proof, are as in `Confirmation`.
    """

    path: ConfirmationPath
    state: ConfirmationState
    chain_id: int
    registry: str
    job_key: str
    transaction_hash: str | None = None
    block_number: int | None = None
    depth: int = 0
    gas_used: int | None = None
    gas_price_wei: int | None = None
    inclusion: Inclusion | None = None


@dataclass(frozen=True, slots=True)
class SeenJob:
    """A job with its confirmation, of which there is none before it is `confirming`."""

    job: Job
    confirmation: ConfirmationView | None = None


def awaited(job: Job, deployment: Deployment) -> TransactionId | None:
    """The transaction that is to confirm the job; one of a chain that is no more never will."""
    placed = job.placed if job.status is Status.CONFIRMING else None
    return placed if placed and placed.account.genesis_hash == deployment.genesis_hash else None


def seen(job: Job, progress: TransactionProgress | None, deployment: Deployment) -> SeenJob:
    """The job, with the progress of its `awaited` transaction, if there is one."""
    if job.confirmation is not None:
        return SeenJob(job, _final(job.path, job.confirmation))
    if job.status is not Status.CONFIRMING:
        return SeenJob(job)
    pending = ConfirmationView(
        path=job.path,
        state=ConfirmationState.PENDING,
        chain_id=deployment.chain_id,
        registry=deployment.registry,
        job_key=job_key(deployment.chain_id, deployment.registry, job.ref.tenant_id, job.ref.job_id),
    )
    return SeenJob(job, _moved_on(pending, progress) if progress else pending)


def _moved_on(pending: ConfirmationView, progress: TransactionProgress) -> ConfirmationView:
    """One that settled without effect, or only fills its nonce by now, leaves the job to another."""
    if progress.path is None or progress.settlement in (Settlement.REVERTED, Settlement.NONCE_TAKEN):
        return pending
    mined = progress.mined
    if mined is None:
        return replace(pending, state=ConfirmationState.BROADCAST, transaction_hash=progress.latest_hash)
    return replace(
        pending,
        state=ConfirmationState.MINED,
        transaction_hash=mined.hash,
        block_number=mined.block_number,
        depth=mined.depth,
    )


def _final(path: ConfirmationPath, confirmation: Confirmation) -> ConfirmationView:
    return ConfirmationView(
        path=path,
        state=ConfirmationState.FINAL,
        chain_id=confirmation.chain_id,
        registry=confirmation.registry,
        job_key=confirmation.job_key,
        transaction_hash=confirmation.transaction_hash,
        block_number=confirmation.block_number,
        depth=confirmation.depth,
        gas_used=confirmation.gas_used,
        gas_price_wei=confirmation.gas_price_wei,
        inclusion=confirmation.inclusion,
    )
