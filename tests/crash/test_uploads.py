"""A job whose input was uploaded: a process dies around the copy that is kept, and one job comes of it."""

import json
from typing import Any

import pytest

from chalicelib.adapters.s3 import UPLOADS
from chalicelib.adapters.system import RandomIds
from chalicelib.domain.job import UNSEEN_AFTER
from chalicelib.use_cases.run_job import Outcome
from tests.conformance.real_ports import client
from tests.crash.failpoints import Failpoint
from tests.crash.scene import Scene
from tests.unit.world import SHORT, World, result_of


@pytest.fixture
def s3(scene: Scene) -> Any:
    return client("s3", endpoint=scene.endpoint)


@pytest.fixture
def upload(scene: Scene, s3: Any) -> str:
    """The id of an upload that the tenant has sent."""
    upload_id = RandomIds().new_id("upl_")
    s3.put_object(Bucket=UPLOADS, Key=f"{scene.tenant}/{upload_id}", Body=json.dumps(SHORT).encode())
    return upload_id


def expire(scene: Scene, s3: Any, upload: str) -> None:
    """What is left of an upload after its day: the copy, if there is one."""
    s3.delete_object(Bucket=UPLOADS, Key=f"{scene.tenant}/{upload}")


@pytest.mark.parametrize(
    ("failpoint", "is_kept"),
    [
        (Failpoint("uploads", "keep", "before"), False),
        (Failpoint("uploads", "keep", "after"), True),
        (Failpoint("jobs", "admit", "before"), True),
    ],
    ids=str,
)
def test_the_key_is_free_and_the_upload_still_good_when_a_submit_dies_before_the_commit(
    scene: Scene, world: World, s3: Any, upload: str, failpoint: Failpoint, *, is_kept: bool
) -> None:
    scene.crash(world, failpoint, "submit", upload=upload)
    assert scene.stored("jobs", scene.tenant) == scene.stored("idempotency", scene.tenant) == []
    assert (scene.counted("active"), scene.events()) == (0, [])
    if is_kept:
        expire(scene, s3, upload)
    accepted = world.submit(upload=upload)
    assert not accepted.is_replay
    assert world.run_job(accepted.job_ref) is Outcome.FINISHED


@pytest.mark.parametrize(
    "failpoint",
    [Failpoint("jobs", "admit", "after"), Failpoint("queue", "wake_runner", "before")],
    ids=str,
)
def test_the_job_runs_once_when_a_submit_dies_after_the_commit_and_its_upload_expires(
    scene: Scene, world: World, s3: Any, upload: str, failpoint: Failpoint
) -> None:
    scene.crash(world, failpoint, "submit", upload=upload)
    expire(scene, s3, upload)
    retry = world.submit(upload=upload)
    assert retry.is_replay
    assert (scene.counted("active"), len(scene.stored("jobs", scene.tenant))) == (1, 1)
    assert world.run_job(retry.job_ref) is Outcome.FINISHED


@pytest.mark.parametrize("when", ["before", "after"])
def test_the_job_is_run_again_when_a_worker_dies_while_it_reads_the_upload(
    scene: Scene, world: World, upload: str, when: str
) -> None:
    ref = world.submit(upload=upload).job_ref
    scene.crash(world, Failpoint("uploads", "read", when), "run_job", ref)
    world.clock.advance(UNSEEN_AFTER)
    assert world.run_job(ref) is Outcome.FINISHED
    sent = world.submit("sent").job_ref
    assert world.run_job(sent) is Outcome.FINISHED
    assert (world.job(ref).lease_epoch, result_of(world, ref)) == (2, result_of(world, sent))
