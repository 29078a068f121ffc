"""The chain against jobs: whatever the registry's logs tell of is a job of ours that has its result.

A job key is a hash of tenant and job id, so whose it is can be told of those jobs alone whose keys are
computed: some thousand keys of the logs are held at a time, and all tenants' jobs are gone through for them,
the newest first, until each is found. A compact batch is named by its signer and number, as our row is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chalicelib.domain.chain_call import compact_call, compact_hash
from chalicelib.domain.chain_transaction import ChainTransaction
from chalicelib.domain.confirmation import job_key
from chalicelib.domain.confirmation_view import Deployment
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.domain.job import Job, Status
from chalicelib.domain.merkle import keccak256
from chalicelib.domain.transaction_id import Account, TransactionId
from chalicelib.job_types.chain_logs import ChainLogs, Log, TooManyLogs
from chalicelib.ports import ChainTransactions, Jobs, Signers
from chalicelib.use_cases.chain_work import chunks
from chalicelib.use_cases.reconciliation.pages import pages
from chalicelib.use_cases.reconciliation.report import A_READ, Difference, Figure, Kind

# What the large providers allow in one query for events.
BLOCKS_A_READ = 10_000
# Some 20 MB of keys and logs; each time, all jobs that are younger are gone through.
KEYS_A_PASS = 20_000
NUMBER_BITS = 64
NOBODY = "-"
JOB_CONFIRMED = f"0x{keccak256(b'JobConfirmed(bytes32,bytes32)').hex()}"
COMPACT_CONFIRMED = f"0x{keccak256(b'CompactConfirmed(uint256,uint256,bytes32)').hex()}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CompareRecords:
    """Every confirmation of the blocks is some tenant's; who pays for a record, and when, is all the same."""

    jobs: Jobs
    transactions: ChainTransactions
    signers: Signers
    logs: ChainLogs
    deployment: Deployment
    keys_a_pass: int = KEYS_A_PASS

    def __call__(
        self, tenants: Sequence[Tenant], figures: Counter[Figure], *, first: int, last: int
    ) -> Iterator[Difference]:
        """Each confirmation in these blocks, both included, that no job bears out; of all tenants' jobs."""
        addresses = {int(each.address, 16): each.address for each in self.signers.roster().signers}
        names = {tenant.tenant_id: tenant.name for tenant in tenants}
        keys: dict[str, Log] = {}
        for log in self._read(first, last):
            match log.topics:
                case (topic, _) if topic == COMPACT_CONFIRMED:
                    figures[Figure.RECORDS] += 1
                    yield from self._of_batch(log, addresses, names)
                case (topic, key) if topic == JOB_CONFIRMED:
                    figures[Figure.RECORDS] += 1
                    keys[key] = log
            if len(keys) == self.keys_a_pass:
                yield from self._of_jobs(keys, tenants)
                keys = {}
        yield from self._of_jobs(keys, tenants)

    def _read(self, first: int, last: int) -> Iterator[Log]:
        """In ranges as long as the node answers for."""
        size = BLOCKS_A_READ
        while first <= last:
            end = min(first + size - 1, last)
            try:
                found = self.logs.logs(self.deployment.registry, first=first, last=end)
            except TooManyLogs as error:
                if first == end:
                    raise ChainUnavailable("The node does not give one block's logs.") from error
                size = (end - first + 1) // 2
            else:
                yield from found
                first = end + 1

    def _of_jobs(self, keys: Mapping[str, Log], tenants: Sequence[Tenant]) -> Iterator[Difference]:
        left = dict(keys)
        for tenant in tenants:
            for page in pages(self.jobs, tenant.tenant_id) if left else ():
                for job in page:
                    if log := left.pop(self._key_of(job), None):
                        yield from _founded(job, tenant.name, f"0x{log.data.hex()}", _place(log))
                if not left:
                    break
        for key, log in left.items():
            yield _unfounded(NOBODY, f"job key {key}", "a job of ours", f"0x{log.data.hex()}", _place(log))

    def _of_batch(
        self, log: Log, addresses: Mapping[int, str], names: Mapping[str, str]
    ) -> Iterator[Difference]:
        word = int(log.topics[1], 16)
        mask, root = int.from_bytes(log.data[:32], "big"), f"0x{log.data[32:64].hex()}"
        row = self._row(word, addresses)
        stored = _compact_hash(row) if row else "a batch of ours"
        if row is None or stored != compact_hash(mask, root):
            yield _unfounded(NOBODY, f"batch {hex(word)}", stored, compact_hash(mask, root), _place(log))
            return
        for listed in chunks(row.jobs, A_READ):
            for each, job in zip(listed, self.jobs.get_many([one.ref for one in listed]), strict=True):
                tenant = names.get(each.ref.tenant_id, NOBODY)
                if job is None:
                    where = f"{each.ref.job_id} in batch {hex(word)}"
                    yield _unfounded(tenant, where, "a job", "none", _place(log))
                else:
                    yield from _founded(job, tenant, each.entry.result_hash, _place(log))

    def _row(self, word: int, addresses: Mapping[int, str]) -> ChainTransaction | None:
        signer, number = word >> NUMBER_BITS, word & ((1 << NUMBER_BITS) - 1)
        if signer not in addresses:
            return None
        account = Account(addresses[signer], self.deployment.genesis_hash)
        row = self.transactions.get(TransactionId(account, number))
        return row if row and row.jobs else None

    def _key_of(self, job: Job) -> str:
        to = self.deployment
        return job_key(to.chain_id, to.registry, job.ref.tenant_id, job.ref.job_id)


def _compact_hash(row: ChainTransaction) -> str:
    batch = compact_call(row.id.account.signer, row.nonce, [each.entry for each in row.jobs])
    return compact_hash(batch.mask, batch.root)


def _founded(job: Job, tenant: str, result_hash: str, place: str) -> Iterator[Difference]:
    """A difference, unless the job has this result, and is confirmed or waits to be."""
    committed = job.result.commitment if job.result else "no result"
    if job.status not in (Status.CONFIRMING, Status.SUCCEEDED) or committed != result_hash:
        expected = f"{committed} of a {job.status} job"
        yield _unfounded(tenant, job.ref.job_id, expected, result_hash, place)


def _unfounded(tenant: str, where: str, expected: str, found: str, place: str) -> Difference:
    return Difference(
        kind=Kind.RECORD_UNFOUNDED, tenant=tenant, where=where, expected=expected, found=found, evidence=place
    )


def _place(log: Log) -> str:
    return f"transaction {log.transaction_hash}, block {log.block.number} {log.block.hash}"
