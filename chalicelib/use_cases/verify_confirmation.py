"""Whether a job is confirmed as it says: once, on one path, and for exactly its stored result.

All that can be computed is, from the result's bytes and the job's name; all that can be asked is asked of the
chain. What only we can say, that the job is in no other batch, is checked over every batch that we ever sent.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from chalicelib.domain.audit import Outcome
from chalicelib.domain.chain_call import compact_call, compact_hash, proves, word_of
from chalicelib.domain.chain_transaction import FINAL_DEPTH, ChainTransaction, Settlement
from chalicelib.domain.confirmation import ZERO_HASH, Entry, commitment, job_key
from chalicelib.domain.confirmation_view import Deployment
from chalicelib.domain.errors import Refused
from chalicelib.domain.job import Job, JobRef, Result, Status
from chalicelib.domain.on_chain import Confirmation
from chalicelib.domain.transaction_id import Account, ConfirmationPath
from chalicelib.ports import Chain, ChainTransactions, Jobs, Payloads, Registry, RegistryAdmin, Signers

# Tenants whose jobs are looked up at once: what one answer of the table may be asked for.
TENANTS_A_READ = 100
# A line for as many: a page of rows takes some 10 ms.
ROWS_A_LINE = 1_000
NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One fact: what it must be, what it is, and whether that is right."""

    name: str
    expected: str
    found: str
    holds: bool


@dataclass(frozen=True, slots=True)
class Report:
    """A job, and every check of it."""

    job: Job
    checks: tuple[Check, ...]

    @property
    def holds(self) -> bool:
        """Whether every check does."""
        return all(each.holds for each in self.checks)


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyConfirmation:
    """Checks a job against the chain."""

    jobs: Jobs
    payloads: Payloads
    chain: Chain
    transactions: ChainTransactions
    signers: Signers
    registry: Registry
    appointments: RegistryAdmin
    deployment: Deployment

    def find(self, job_id: str, *, tenant_ids: Sequence[str] = ()) -> Job | None:
        """The job of one of these tenants, or of any."""
        asked = tenant_ids or [tenant.tenant_id for tenant in self.registry.tenants()]
        for start in range(0, len(asked), TENANTS_A_READ):
            refs = [JobRef(tenant_id, job_id) for tenant_id in asked[start : start + TENANTS_A_READ]]
            if found := next((job for job in self.jobs.get_many(refs) if job), None):
                return found
        return None

    def __call__(self, job: Job, *, tell: Callable[[str], None]) -> Report:
        """Every check; of a job that is not confirmed, that alone. `tell` hears how far a long one is."""
        checks = [_same("state", Status.SUCCEEDED, job.status)]
        if checks[0].holds:
            assert job.result is not None, "only what has a result succeeds"
            assert job.confirmation is not None, "only what is confirmed succeeds"
            checks += self._checks(job, job.result, job.confirmation, tell)
        return Report(job, tuple(checks))

    def materialize(self, job: Job) -> Outcome:
        """The registry records a job of a compact batch by itself too; anyone may pay for it."""
        confirmation = job.confirmation
        if confirmation is None or confirmation.inclusion is None:
            raise Refused(f"{job.ref.job_id} is in no compact batch: there is nothing to materialize.")
        assert job.result is not None, "only what has a result is confirmed"
        if self._recorded(confirmation.job_key) != ZERO_HASH:
            return Outcome.UNCHANGED
        entry = Entry(confirmation.job_key, job.result.commitment)
        self.appointments.materialize(entry, confirmation.inclusion)
        return Outcome.CHANGED

    def _checks(
        self, job: Job, result: Result, confirmation: Confirmation, tell: Callable[[str], None]
    ) -> Iterator[Check]:
        to, ref = self.deployment, job.ref
        entry = Entry(
            job_key(to.chain_id, to.registry, ref.tenant_id, ref.job_id),
            commitment(bytes.fromhex(result.salt[2:]), self.payloads.get(result.storage_key)),
        )
        yield _same("commitment of the result", entry.result_hash, result.commitment)
        yield _same("chain", str(to.chain_id), str(confirmation.chain_id))
        yield _same("registry", to.registry, confirmation.registry)
        yield _same("job key", entry.job_key, confirmation.job_key)
        yield from self._transaction(job, confirmation)
        if job.path is ConfirmationPath.DIRECT:
            yield _same("record", entry.result_hash, self._recorded(entry.job_key))
        else:
            yield from self._batch(job, confirmation, entry)
        others = [_name(row) for row in self._others(job, entry.job_key, tell)]
        yield _same("other batches with the job", NONE, ", ".join(others) or NONE)

    def _transaction(self, job: Job, confirmation: Confirmation) -> Iterator[Check]:
        (sighting,) = self.chain.sightings([confirmation.transaction_hash])
        # Any address will do: what is wanted is the head.
        head = self.chain.survey(self.deployment.registry, final_depth=FINAL_DEPTH).head
        receipt = sighting.receipt
        if receipt is None:
            yield _check("transaction", f"{confirmation.transaction_hash} in a block", "in none", holds=False)
            return
        effect = "took effect" if receipt.succeeded else "reverted"
        yield _same(
            "transaction",
            f"{confirmation.transaction_hash} took effect",
            f"{receipt.transaction_hash} {effect}",
        )
        yield _same("block", str(confirmation.block_number), str(receipt.block_number))
        depth = head - receipt.block_number + 1
        yield _check("depth", f"{FINAL_DEPTH} or more", str(depth), holds=depth >= FINAL_DEPTH)
        if job.path is ConfirmationPath.DIRECT:
            is_in = confirmation.job_key in receipt.recorded
            yield _same("job in the transaction", "recorded", "recorded" if is_in else "not recorded")

    def _batch(self, job: Job, confirmation: Confirmation, entry: Entry) -> Iterator[Check]:
        """The proof against the chain, and the chain against the batch as we stored it, whole."""
        inclusion = confirmation.inclusion
        row = self.transactions.get(job.placed) if job.placed else None
        if inclusion is None or row is None:
            missing = "proof" if inclusion is None else "stored batch"
            yield _check("batch", "a proof and a stored batch", f"no {missing}", holds=False)
            return
        signer, on_chain = row.id.account.signer, self.chain.compact_hash(inclusion.word)
        yield _same("compact hash", compact_hash(inclusion.mask, inclusion.root), on_chain)
        leads = "to the root" if proves(inclusion, entry) else "elsewhere"
        yield _same("proof of the job", "to the root", leads)
        yield _same("word", hex(word_of(signer, row.nonce)), hex(inclusion.word))
        batch = compact_call(signer, row.nonce, [each.entry for each in row.jobs])
        yield _same("root over the stored batch", compact_hash(batch.mask, batch.root), on_chain)
        yield _same("jobs of the batch", str(len(row.jobs)), str(inclusion.mask.bit_count()))
        bits = [str(bit) for bit, each in enumerate(row.jobs) if each.entry.job_key == entry.job_key]
        yield _same("bit of the job", str(inclusion.bit), ", ".join(bits) or NONE)
        hashes = [attempt.hash for attempt in row.attempts]
        is_of_batch = confirmation.transaction_hash in hashes
        yield _check(
            "transaction of the batch", " or ".join(hashes), confirmation.transaction_hash, holds=is_of_batch
        )
        recorded = self._recorded(entry.job_key)
        is_none_or_same = recorded in (ZERO_HASH, entry.result_hash)
        yield _check("record", f"none, or {entry.result_hash}", recorded, holds=is_none_or_same)

    def _others(self, job: Job, key: str, tell: Callable[[str], None]) -> Iterator[ChainTransaction]:
        """Batches beside its own that hold the job and have effect, of every signer that there ever was.

        Of a job with a record of its own only compact ones: the registry itself sees to the others.
        """
        looked_at = 0
        for signer in self.signers.roster().signers:
            for row in self.transactions.rows(Account(signer.address, self.deployment.genesis_hash)):
                looked_at += 1
                if looked_at % ROWS_A_LINE == 0:
                    tell(f"transactions looked through: {looked_at}")
                is_compact = ConfirmationPath.COMPACT in (row.path, job.path)
                has_job = any(each.entry.job_key == key for each in row.jobs)
                if is_compact and has_job and row.id != job.placed and self._has_effect(row):
                    yield row

    def _has_effect(self, row: ChainTransaction) -> bool:
        """Whether it has or may have: of a batch that ended without, the chain is asked."""
        if row.settlement not in (Settlement.REVERTED, Settlement.NONCE_TAKEN):
            return True
        word = word_of(row.id.account.signer, row.nonce)
        return row.path is ConfirmationPath.COMPACT and self.chain.compact_hash(word) != ZERO_HASH

    def _recorded(self, key: str) -> str:
        return self.chain.recorded_hashes([key])[0]


def _same(name: str, expected: str, found: str) -> Check:
    return _check(name, expected, found, holds=expected == found)


def _check(name: str, expected: str, found: str, *, holds: bool) -> Check:
    return Check(name=name, expected=expected, found=found, holds=holds)


def _name(row: ChainTransaction) -> str:
    return f"nonce {row.nonce} of {row.id.account.signer}"
