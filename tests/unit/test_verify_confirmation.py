"""Verifying a job: every check holds for what the service does, and fails for what it must never do."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from chalicelib.adapters.memory_access import MemoryClients, MemoryKeyRings, MemoryRegistry
from chalicelib.adapters.memory_registry_admin import MemoryRegistryAdmin
from chalicelib.adapters.memory_revocations import MemoryRevocations
from chalicelib.domain.audit import Outcome
from chalicelib.domain.chain_transaction import FINAL_DEPTH, Settlement
from chalicelib.domain.confirmation import ZERO_HASH, Entry
from chalicelib.domain.confirmation_view import Deployment
from chalicelib.domain.errors import Refused
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.transaction_id import Account, ConfirmationPath, TransactionId
from chalicelib.use_cases.verify_confirmation import ROWS_A_LINE, Report, VerifyConfirmation
from tests.unit.world import ACME, GLOBEX, SIGNER, World

OTHER_WORD = "0x" + "0f" * 32
DIRECT, COMPACT = ConfirmationPath.DIRECT, ConfirmationPath.COMPACT


class Tampered:
    """The port, but for these methods, which are given the true answer."""

    def __init__(self, port: Any, **methods: Callable[[Any], Any]) -> None:
        self._port = port
        self._methods = methods

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)
        if name not in self._methods:
            return method
        return lambda *args, **kwargs: self._methods[name](method(*args, **kwargs))


@dataclass
class Scene:
    """Two confirmed jobs of each path; `job` is the first of the path that is looked at."""

    world: World
    path: ConfirmationPath
    refs: dict[ConfirmationPath, list[JobRef]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for path in ConfirmationPath:
            refs = [self.world.confirming(f"{path}-{n}", path=path) for n in range(2)]
            for ref in refs if path is DIRECT else [refs]:
                self.world.confirm_jobs([ref] if path is DIRECT else ref)
            self.refs[path] = refs
        self.world.chain.mine(FINAL_DEPTH)
        self.world.confirm_jobs([])
        self.job = self.world.job(self.refs[self.path][0])
        self.another = self.world.job(self.refs[self.path][1])
        self.ports: dict[str, Any] = {
            "jobs": self.world.jobs,
            "payloads": self.world.payloads,
            "chain": self.world.chain,
            "transactions": self.world.transactions,
            "appointments": MemoryRegistryAdmin(self.world.chain),
        }

    def tamper(self, port: str, **methods: Callable[[Any], Any]) -> None:
        self.ports[port] = Tampered(self.ports[port], **methods)

    def change_result(self, **changes: Any) -> None:
        self.job = replace(self.job, result=replace(self.job.result, **changes))

    def change(self, **changes: Any) -> None:
        self.job = replace(self.job, confirmation=replace(self.job.confirmation, **changes))

    def change_proof(self, **changes: Any) -> None:
        self.change(inclusion=replace(self.job.confirmation.inclusion, **changes))

    @property
    def verify(self) -> VerifyConfirmation:
        registry = MemoryRegistry(
            tenants=self.world.tenants,
            clients=MemoryClients(),
            rings=MemoryKeyRings(),
            revocations=MemoryRevocations(),
        )
        deployment = Deployment(
            chain_id=31337, genesis_hash=self.world.genesis_hash, registry=self.world.registry
        )
        return VerifyConfirmation(
            signers=self.world.signers, registry=registry, deployment=deployment, **self.ports
        )

    def report(self) -> Report:
        return self.verify(self.job, tell=self.told.append)

    def failed(self) -> set[str]:
        return {each.name for each in self.report().checks if not each.holds}


def with_jobs(change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Callable[[Any], Any]:
    """A stored row with other jobs."""
    return lambda row: replace(row, jobs=change(row.jobs))


def with_row(scene: Scene, path: ConfirmationPath, settlement: Settlement | None) -> None:
    """Another row that lists the job."""
    own = scene.world.transactions.get(scene.job.placed)
    assert own is not None
    listed = next(each for each in own.jobs if each.ref == scene.job.ref)
    identity = TransactionId(Account(SIGNER, scene.world.genesis_hash), 99)
    other = replace(own, id=identity, path=path, jobs=(listed,), settlement=settlement)
    scene.tamper("transactions", rows=lambda rows: [*rows, other])


def depth_of_two(survey: Any) -> Any:
    return replace(survey, head=survey.head - 1)


OF_EITHER: dict[str, Callable[[Scene], None]] = {
    "state": lambda s: setattr(s, "job", replace(s.job, status=Status.CONFIRMING)),
    "commitment of the result": lambda s: s.tamper("payloads", get=lambda content: content + b" "),
    "chain": lambda s: s.change(chain_id=1),
    "registry": lambda s: s.change(registry="0x" + "bb" * 20),
    "job key": lambda s: s.change(job_key=OTHER_WORD),
    "transaction": lambda s: s.change(transaction_hash=OTHER_WORD),
    "block": lambda s: s.change(block_number=s.job.confirmation.block_number + 1),
    "depth": lambda s: s.tamper("chain", survey=depth_of_two),
    "record": lambda s: s.tamper("chain", recorded_hashes=lambda _: [OTHER_WORD]),
    "other batches with the job": lambda s: with_row(s, COMPACT, Settlement.FINAL),
}
OF_DIRECT: dict[str, Callable[[Scene], None]] = {
    "job in the transaction": lambda s: s.change(
        transaction_hash=s.another.confirmation.transaction_hash,
        block_number=s.another.confirmation.block_number,
    ),
}
OF_COMPACT: dict[str, Callable[[Scene], None]] = {
    "batch": lambda s: s.change(inclusion=None),
    "compact hash": lambda s: s.tamper("chain", compact_hash=lambda _: OTHER_WORD),
    "proof of the job": lambda s: s.change_proof(proof=(OTHER_WORD,)),
    "word": lambda s: s.change_proof(word=s.job.confirmation.inclusion.word + 1),
    "root over the stored batch": lambda s: s.tamper(
        "transactions",
        get=with_jobs(lambda jobs: (jobs[0], replace(jobs[1], entry=Entry(OTHER_WORD, OTHER_WORD)))),
    ),
    "jobs of the batch": lambda s: s.change_proof(mask=0b111),
    "bit of the job": lambda s: s.tamper("transactions", get=with_jobs(lambda jobs: (jobs[0], jobs[0]))),
    "transaction of the batch": lambda s: s.change(transaction_hash=OTHER_WORD),
}
TAMPERED = [
    *((path, name, act) for path in ConfirmationPath for name, act in OF_EITHER.items()),
    *((DIRECT, name, act) for name, act in OF_DIRECT.items()),
    *((COMPACT, name, act) for name, act in OF_COMPACT.items()),
]


@pytest.mark.parametrize("path", ConfirmationPath)
def test_every_check_holds_when_the_job_is_confirmed_as_it_should_be(
    world: World, path: ConfirmationPath
) -> None:
    scene = Scene(world, path)
    report = scene.report()
    assert (report.holds, scene.failed()) == (True, set())
    tampered = {name for of_path, name, _ in TAMPERED if of_path is path} - {"batch"}
    assert {check.name for check in report.checks} == tampered


@pytest.mark.parametrize(
    ("path", "name", "act"), TAMPERED, ids=[f"{path}-{name}" for path, name, _ in TAMPERED]
)
def test_a_check_fails_when_its_fact_is_another(
    world: World, path: ConfirmationPath, name: str, act: Callable[[Scene], None]
) -> None:
    scene = Scene(world, path)
    act(scene)
    report = scene.report()
    assert not report.holds
    assert name in scene.failed()
    failed = next(check for check in report.checks if check.name == name)
    assert failed.expected != failed.found


def test_the_commitment_fails_when_the_salt_is_another(world: World) -> None:
    scene = Scene(world, DIRECT)
    scene.change_result(salt=OTHER_WORD)
    assert "commitment of the result" in scene.failed()


def test_the_record_fails_when_the_chain_has_none(world: World) -> None:
    scene = Scene(world, DIRECT)
    scene.tamper("chain", recorded_hashes=lambda _: [ZERO_HASH])
    assert scene.failed() == {"record"}


def test_the_transaction_fails_when_it_reverted(world: World) -> None:
    scene = Scene(world, COMPACT)
    scene.tamper(
        "chain",
        sightings=lambda seen: [replace(s, receipt=replace(s.receipt, succeeded=False)) for s in seen],
    )
    assert scene.failed() == {"transaction"}


def test_the_batch_fails_when_nothing_is_stored_of_it(world: World) -> None:
    scene = Scene(world, COMPACT)
    scene.job = replace(scene.job, placed=None)
    assert "batch" in scene.failed()


def test_a_batch_fails_when_a_job_is_hidden_in_it(world: World) -> None:
    scene = Scene(world, COMPACT)
    scene.tamper("transactions", get=with_jobs(lambda jobs: jobs[:1]))
    assert scene.failed() == {"root over the stored batch", "jobs of the batch"}


@pytest.mark.parametrize(
    ("path", "row_path", "settlement", "holds"),
    [
        (DIRECT, DIRECT, Settlement.FINAL, True),  # the registry skipped it there
        (DIRECT, COMPACT, None, False),  # it may still be mined
        (DIRECT, COMPACT, Settlement.REVERTED, True),
        (COMPACT, DIRECT, Settlement.FINAL, False),
        (COMPACT, COMPACT, Settlement.NONCE_TAKEN, True),
    ],
)
def test_another_batch_counts_when_it_has_or_may_have_effect(
    world: World,
    path: ConfirmationPath,
    row_path: ConfirmationPath,
    settlement: Settlement | None,
    holds: bool,  # noqa: FBT001 - a case
) -> None:
    scene = Scene(world, path)
    with_row(scene, row_path, settlement)
    assert scene.report().holds is holds


@pytest.mark.parametrize("path", ConfirmationPath)
def test_another_batch_counts_when_the_chain_has_it_and_our_tables_say_otherwise(
    world: World, path: ConfirmationPath
) -> None:
    scene = Scene(world, path)
    with_row(scene, COMPACT, Settlement.REVERTED)
    scene.tamper("chain", compact_hash=lambda found: OTHER_WORD if found == ZERO_HASH else found)
    assert scene.failed() == {"other batches with the job"}


@pytest.mark.parametrize("path", ConfirmationPath)
def test_only_the_state_is_checked_when_the_job_has_not_succeeded(
    world: World, path: ConfirmationPath
) -> None:
    ref = world.confirming("waits", path=path)
    report = Scene(world, path).verify(world.job(ref), tell=print)
    [state] = report.checks
    assert (state.expected, state.found, report.holds) == ("succeeded", "confirming", False)


def test_a_compact_job_is_recorded_by_itself_too_when_it_is_materialized(world: World) -> None:
    scene = Scene(world, COMPACT)
    assert scene.verify.materialize(scene.job) is Outcome.CHANGED
    [record] = [check for check in scene.report().checks if check.name == "record"]
    assert (scene.report().holds, record.found) == (True, scene.job.result.commitment)
    assert scene.verify.materialize(scene.job) is Outcome.UNCHANGED


def test_materializing_is_refused_when_the_job_is_in_no_batch(world: World) -> None:
    scene = Scene(world, DIRECT)
    with pytest.raises(Refused, match="is in no compact batch"):
        scene.verify.materialize(scene.job)


def test_a_job_is_found_when_its_tenant_is_not_named(world: World) -> None:
    scene = Scene(world, DIRECT)
    job_id = scene.job.ref.job_id
    assert scene.verify.find(job_id) == scene.job
    assert scene.verify.find(job_id, tenant_ids=[ACME]) == scene.job
    assert scene.verify.find(job_id, tenant_ids=[GLOBEX]) is None


def test_a_line_tells_how_far_it_is_when_there_are_many_transactions(world: World) -> None:
    scene = Scene(world, DIRECT)
    scene.tamper("transactions", rows=lambda rows: [next(iter(rows))] * ROWS_A_LINE)
    assert scene.report().holds
    assert scene.told == [f"transactions looked through: {ROWS_A_LINE}"]
