"""`verify`, as an operator and as a program see it; jobs are run and confirmed in this process."""

import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.admin.chain import NOBODY, AdminChain
from tests.admin.commands import VERIFIED, Admin
from tests.unit.world import World

ABSENT = f"job_{0:026d}"


def confirmed(world: World, chain: AdminChain, path: ConfirmationPath) -> JobRef:
    """A job that is final."""
    ref = world.confirming(world.ids.new_id("key_"), path=path)
    world.confirm_jobs([ref])
    chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    assert world.job(ref).status is Status.SUCCEEDED
    return ref


@pytest.mark.parametrize("path", ConfirmationPath)
def test_every_check_is_a_line_when_a_job_verifies(
    admin: Admin, world: World, chain: AdminChain, path: ConfirmationPath
) -> None:
    ref = confirmed(world, chain, path)
    document = admin("verify", ref.job_id, "--json").document
    assert set(document) == VERIFIED
    assert (document["verified"], document["confirmation"], document["tenant_id"]) == (
        True,
        path,
        ref.tenant_id,
    )
    header, *lines, last = admin("verify", ref.job_id, "--tenant", "acme").text.splitlines()
    assert header.split() == ["CHECK", "OF", "FOUND"]
    assert [line.split()[0] for line in lines] == ["ok"] * len(document["checks"])
    assert last == f"job {ref.job_id} of {ref.tenant_id}, {path}: all of it holds"


def test_a_compact_job_has_a_record_of_its_own_when_it_is_materialized(
    admin: Admin, world: World, chain: AdminChain
) -> None:
    ref = confirmed(world, chain, ConfirmationPath.COMPACT)
    job = world.job(ref)
    first = admin("verify", ref.job_id, "--materialize", "--json").document
    assert set(first) == VERIFIED | {"changed"}
    assert (first["verified"], first["changed"]) == (True, True)
    assert world.chain.recorded_hashes([job.confirmation.job_key]) == [job.result.commitment]
    again = admin("verify", ref.job_id, "--materialize", "--json").document
    assert again == {**first, "changed": False} | {"checks": again["checks"]}


def test_both_values_are_shown_and_the_status_is_1_when_a_check_fails(
    admin: Admin, world: World, chain: AdminChain, registry: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ref = confirmed(world, chain, ConfirmationPath.DIRECT)
    other = chain.deploy(NOBODY)
    monkeypatch.setenv("JOBS_REGISTRY", other)
    ran = admin("verify", ref.job_id)
    assert (ran.status, ran.err) == (1, "")
    [line] = [line for line in ran.out.splitlines() if line.startswith("FAILED  registry")]
    assert line.split()[2:] == [f"{registry},", "expected", other]
    assert " checks FAILED" in ran.out.splitlines()[-1]
    as_json = admin("verify", ref.job_id, "--json")
    assert (as_json.status, '"verified": false' in as_json.out) == (1, True)


def test_the_state_is_shown_and_the_status_is_1_when_a_job_has_not_succeeded(
    admin: Admin, world: World
) -> None:
    ref = world.confirming(world.ids.new_id("key_"))
    ran = admin("verify", ref.job_id)
    assert ran.status == 1
    assert ran.out.splitlines()[1].split() == ["FAILED", "state", "confirming,", "expected", "succeeded"]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("arguments", [(ABSENT,), (ABSENT, "--tenant", "acme"), ("job_1",), ()])
def test_the_status_is_2_when_there_is_no_such_job(admin: Admin, arguments: tuple[str, ...]) -> None:
    ran = admin("verify", *arguments)
    assert (ran.status, ran.out) == (2, "")


def test_a_line_says_so_when_a_direct_job_is_to_be_materialized(
    admin: Admin, world: World, chain: AdminChain
) -> None:
    ref = confirmed(world, chain, ConfirmationPath.DIRECT)
    refusal = admin("verify", ref.job_id, "--materialize").refusal
    assert refusal == f"{ref.job_id} is in no compact batch: there is nothing to materialize."


@pytest.mark.usefixtures("registry")
def test_a_line_says_so_when_the_tenant_is_unknown(admin: Admin) -> None:
    assert admin("verify", ABSENT, "--tenant", "nobody").refusal.startswith("There is no tenant nobody")
