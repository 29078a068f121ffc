"""Steps that tests of confirming share."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.domain.chain_call import compact_hash, inclusions
from chalicelib.domain.chain_transaction import FINAL_DEPTH, Attempt, ChainTransaction
from chalicelib.domain.confirmation import Entry, job_key
from chalicelib.domain.entitlements import Plan
from chalicelib.domain.job import UNSEEN_AT_MOST, Job, JobRef
from chalicelib.domain.roster import Duty
from chalicelib.domain.transaction_id import Account, ConfirmationPath, TransactionId
from chalicelib.use_cases.confirm_jobs import ConfirmReport
from tests.unit.world import REGISTRY, SIGNER, SIGNER_KEY, World

COMPACT = ConfirmationPath.COMPACT
# A signer that comes after `SIGNER`.
NEXT, NEXT_KEY = "0x" + "52" * 20, b"\x52" * 32
MANY = Plan(name="test", jobs_per_month=1_000, active_jobs=1_000, spend_cap_micros=10**12, currency="USD")
# More looks than any trouble that has ended takes to be mended.
LOOKS = 60


def compact(world: World, key: str = "k1") -> JobRef:
    """A job whose tenant chose the compact path, and which waits for the chain."""
    ref = world.submit(key, path=COMPACT).job_ref
    world.run_job(ref)
    return ref


def entry(job: Job) -> Entry:
    """The job as the registry sees it."""
    return Entry(job_key(31337, REGISTRY, job.ref.tenant_id, job.ref.job_id), job.result.commitment)


def row(world: World, nonce: int = 0, *, signer: str = SIGNER) -> ChainTransaction:
    """What is stored of a nonce."""
    found = world.transactions.get(TransactionId(Account(signer, world.genesis_hash), nonce))
    assert found is not None
    return found


def rows(world: World, signer: str = SIGNER) -> list[ChainTransaction]:
    """All that is stored of an account."""
    return list(world.transactions.rows(Account(signer, world.genesis_hash)))


def proofs_on_chain(world: World, ref: JobRef, signers: Sequence[str] = (SIGNER, NEXT)) -> int:
    """How many of all batches that were ever signed for the job are recorded."""
    compacts = [each for signer in signers for each in rows(world, signer) if each.path is COMPACT]
    found = [each for each in compacts if ref in [listed.ref for listed in each.jobs]]
    proofs = [inclusions(each.id.account.signer, each.nonce, entries(each))[0] for each in found]
    return sum(
        world.chain.compact_hash(proof.word) == compact_hash(proof.mask, proof.root) for proof in proofs
    )


def entries(transaction: ChainTransaction) -> list[Entry]:
    """What the transaction records."""
    return [each.entry for each in transaction.jobs]


def look(world: World) -> ConfirmReport:
    """The sender gets all messages that wait for it."""
    refs = [ref for message in world.queue.confirm for ref in message]
    world.queue.confirm.clear()
    return world.confirm_jobs(refs)


def mined(world: World, blocks: int = FINAL_DEPTH) -> ConfirmReport:
    """The chain goes on, and the sender looks."""
    world.chain.mine(blocks)
    return look(world)


def finish(world: World, *refs: JobRef) -> None:
    """Nothing goes wrong any more, until these jobs are done and nothing is open; the sweep does its part."""
    for _ in range(LOOKS):
        world.clock.advance(UNSEEN_AT_MOST)
        world.sweep()
        report = mined(world)
        if not report.open_transactions and all(world.job(ref).is_terminal for ref in refs):
            return
    raise AssertionError("the sender never comes to an end")


def forget_blocks(world: World) -> None:
    """A reorganisation of everything but the first block."""
    world.chain.reorganise(world.chain.survey(SIGNER, final_depth=FINAL_DEPTH).head)


def asked(attempt: Attempt) -> str:
    """What an attempt asks of the chain, without its nonce, gas and fees."""
    unsigned, _ = json.loads(attempt.raw)
    return json.dumps(json.loads(unsigned)[-1])


def two_signers(world: World) -> MemorySigners:
    """The next signer takes new work, while the first is still followed."""
    world.signers = MemorySigners({SIGNER: SIGNER_KEY, NEXT: NEXT_KEY})
    return world.signers


def rotate(world: World) -> None:
    """The next signer takes the place of the first, which is followed to the end of its work."""
    signers = world.signers
    assert isinstance(signers, MemorySigners)
    signers.current = signers.current.moved(NEXT, Duty.ACTIVE)


def before_rotation(world: World) -> None:
    """The next signer has its key, and waits to be active."""
    signers = two_signers(world)
    signers.current = signers.current.moved(NEXT, Duty.JOINING).moved(SIGNER, Duty.ACTIVE)


class Crash(BaseException):
    """The process ends here."""


def crash() -> None:
    raise Crash


CALLS = ("survey", "sightings", "recorded_hashes", "compact_hash", "estimate_gas", "sign", "broadcast")


class TroubledChain(MemoryChain):
    """Does what `trouble` says of a call, once, "before" or "after" it; while full, it takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.trouble: dict[tuple[str, str], Callable[[], None]] = {}
        self.is_full = False

    def mine(self, blocks: int = 1) -> None:
        """See `MemoryChain.mine`."""
        held, self._pool = (self._pool, {}) if self.is_full else ({}, self._pool)
        super().mine(blocks)
        self._pool |= held

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return partial(_troubled, self.trouble, name, found) if name in CALLS else found


def _troubled(
    trouble: dict[tuple[str, str], Callable[[], None]],
    name: str,
    call: Callable[..., object],
    *arguments: object,
    **named: object,
) -> object:
    trouble.pop(("before", name), lambda: None)()
    answer = call(*arguments, **named)
    trouble.pop(("after", name), lambda: None)()
    return answer
