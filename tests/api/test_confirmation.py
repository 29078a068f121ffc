"""How a job is confirmed, and how far that is, as its tenant asks for and sees it over HTTP."""

from typing import Any

import httpx
import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import JobRef
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.api.conftest import ACME, GLOBEX, SPECIFICATION, Api

PATHS = pytest.mark.parametrize("path", [each.value for each in ConfirmationPath])
# What is told from which state on; a proof of a compact batch alone.
TOLD = {
    "pending": set[str](),
    "broadcast": {"transaction_hash"},
    "mined": {"transaction_hash", "block_number"},
    "final": {"transaction_hash", "block_number", "gas_used", "gas_price_wei"},
}
LATER = {"transaction_hash", "block_number", "gas_used", "gas_price_wei", "proof"}


def confirming(api: Api, key: str = "k1", **members: object) -> str:
    """A job that has run and waits for the chain."""
    job_id = str(api.submit(key, **members).json()["id"])
    api.run(job_id)
    return job_id


def send(api: Api, *job_ids: str) -> None:
    api.container.confirm_jobs([JobRef(ACME, job_id) for job_id in job_ids])


def mine(api: Api, blocks: int = 1) -> None:
    api.adapters.chain.mine(blocks)
    send(api)


def get(api: Api, job_id: str, **headers: str) -> httpx.Response:
    return api.http.get(f"/v1/jobs/{job_id}", headers=api.bearer() | headers)


def listed(api: Api) -> dict[str, Any]:
    """Each job's confirmation, by its id."""
    page = api.http.get("/v1/jobs", headers=api.bearer()).json()
    return {job["id"]: job["confirmation"] for job in page["data"]}


@PATHS
def test_a_job_shows_how_far_it_is_and_its_result_when_it_is_confirming(api: Api, path: str) -> None:
    job_id = confirming(api, confirmation=path)
    shown = [get(api, job_id).json()]
    send(api, job_id)
    shown.append(get(api, job_id).json())
    for _ in range(FINAL_DEPTH):
        mine(api)
        shown.append(get(api, job_id).json())
    confirmations = [job["confirmation"] for job in shown]
    assert [job["status"] for job in shown] == ["confirming"] * 4 + ["succeeded"]
    assert [(each["state"], each["depth"]) for each in confirmations] == [
        ("pending", 0),
        ("broadcast", 0),
        ("mined", 1),
        ("mined", 2),
        ("final", 3),
    ]
    for each in confirmations:
        proof = {"proof"} if (path, each["state"]) == ("compact", "final") else set()
        assert {name for name in LATER if each[name] is not None} == TOLD[each["state"]] | proof
        assert each["path"] == path
    result = api.http.get(shown[0]["result_url"], headers=api.bearer())
    assert result.status_code == 200


@PATHS
def test_the_validator_changes_when_the_confirmation_does(api: Api, path: str) -> None:
    job_id = confirming(api, confirmation=path)
    tags = [get(api, job_id).headers["ETag"]]
    for step in (lambda: send(api, job_id), *[lambda: mine(api)] * FINAL_DEPTH):
        known = {"If-None-Match": tags[-1]}
        assert get(api, job_id, **known).status_code == 304
        step()
        tags.append(get(api, job_id, **known).headers["ETag"])
    assert len(set(tags)) == FINAL_DEPTH + 2


def test_a_long_poll_ends_when_the_confirmation_is_another(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    job_id = confirming(api)
    send(api, job_id)
    etag = get(api, job_id).headers["ETag"]
    pause, looks = api.adapters.clock.pause, iter([None, lambda: mine(api)])

    def mining(seconds: float) -> None:
        pause(seconds)
        if step := next(looks):
            step()

    monkeypatch.setattr(api.adapters.clock, "pause", mining)
    before = api.adapters.clock.monotonic()
    answer = get(api, job_id, **{"If-None-Match": etag, "Prefer": "wait=20"})
    assert (answer.status_code, answer.json()["confirmation"]["state"]) == (200, "mined")
    assert api.adapters.clock.monotonic() - before == 1.0


def test_a_list_shows_each_confirmation_as_the_job_itself_does(api: Api) -> None:
    final = [confirming(api, path, confirmation=path) for path in ConfirmationPath]
    send(api, *final)
    mine(api, FINAL_DEPTH)
    mined = confirming(api, "k3", confirmation="compact")
    send(api, mined)
    mine(api)
    broadcast, pending = confirming(api, "k4"), confirming(api, "k5")
    send(api, broadcast)
    queued = api.submit("k6").json()["id"]
    every = [*final, mined, broadcast, pending, queued]
    states = ["final", "final", "mined", "broadcast", "pending", None]
    shown = listed(api)
    assert [shown[job_id] and shown[job_id]["state"] for job_id in every] == states
    assert shown == {job_id: get(api, job_id).json()["confirmation"] for job_id in every}


def test_nothing_is_confirmed_when_a_job_ends_otherwise(api: Api) -> None:
    job_id = api.submit().json()["id"]
    assert api.cancel(job_id).json()["confirmation"] is None
    assert get(api, job_id).json()["confirmation"] is None


def test_cancel_is_refused_when_the_job_is_confirming(api: Api) -> None:
    job_id = confirming(api)
    send(api, job_id)
    assert api.cancel(job_id).status_code == 409


def test_a_confirmation_is_not_found_when_it_is_another_tenants(api: Api) -> None:
    job_id = confirming(api)
    send(api, job_id)
    mine(api, FINAL_DEPTH)
    theirs = api.http.get(f"/v1/jobs/{job_id}", headers=api.bearer(GLOBEX))
    none = api.http.get("/v1/jobs/job_" + "0" * 26, headers=api.bearer(GLOBEX))
    varying = {"instance", "request_id"}
    assert theirs.status_code == 404
    assert [{k: v for k, v in each.json().items() if k not in varying} for each in (theirs, none)] == [
        {k: v for k, v in none.json().items() if k not in varying}
    ] * 2
    assert api.http.get("/v1/jobs", headers=api.bearer(GLOBEX)).json()["data"] == []


@pytest.mark.parametrize("value", ["Compact", "", "final", None, True, 1, ["compact"], {"path": "compact"}])
def test_a_submit_is_refused_when_there_is_no_such_confirmation(api: Api, value: object) -> None:
    answer = api.submit(confirmation=value)
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request")
    assert answer.json()["errors"] == [
        {"pointer": "/confirmation", "detail": "Input should be 'direct' or 'compact'"}
    ]


def test_the_choice_is_direct_when_none_is_sent(api: Api) -> None:
    job_id = confirming(api)
    assert get(api, job_id).json()["confirmation"]["path"] == "direct"


def test_a_key_is_refused_when_it_comes_again_with_another_confirmation(api: Api) -> None:
    first = api.submit(confirmation="compact")
    again = api.submit(confirmation="compact")
    assert (again.status_code, again.content, again.headers["Idempotent-Replayed"]) == (
        202,
        first.content,
        "true",
    )
    for members in ({"confirmation": "direct"}, {}):
        refused = api.submit(**members)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")


def test_the_choices_are_those_of_the_specification() -> None:
    schemas = SPECIFICATION["components"]["schemas"]
    for name in ("SubmitMerkleRoot", "SubmitSha256Chain"):
        assert schemas[name]["properties"]["confirmation"]["enum"] == [*ConfirmationPath]
