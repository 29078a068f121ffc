"""`jobs submit`: every way to give an input, and one job whatever happens on the way."""

import json
from pathlib import Path

import httpx
import pytest

from tests.api.conftest import SPENT, THROTTLED
from tests.client.conftest import (
    SEED,
    SMALL,
    Jobs,
    Send,
    Trouble,
    answering,
    interrupted,
    lost_answer,
    no_connection,
)

KEY = "order-7"
UNAVAILABLE = {"code": "unavailable", "detail": "Later.", "retryable": True}


def leaves(count: int, **members: object) -> bytes:
    """A merkle.root's input."""
    document = {"leaf_encoding": ["uint256"], "leaves": [[str(10**70 + n)] for n in range(count)], **members}
    return json.dumps(document).encode()


# More than a submit can carry.
LARGE = leaves(4_000)


def only_job(jobs: Jobs) -> str:
    (job,) = jobs("list", "--json").lines
    return str(job["id"])


def test_the_id_alone_is_printed_when_a_job_is_submitted(jobs: Jobs) -> None:
    ran = jobs("submit", "sha256.chain", "--input", SMALL)
    assert (ran.exit_code, ran.stdout) == (0, f"{only_job(jobs)}\n")
    assert ran.stderr.startswith("Idempotency-Key ")


def test_the_document_is_the_apis_own_when_a_program_submits(jobs: Jobs) -> None:
    ran = jobs(
        "submit", "sha256.chain", "--input", SMALL, "--key", KEY, "--confirmation", "compact", "--json"
    )
    again = jobs.api.http.post(
        "/v1/jobs",
        json={"type": "sha256.chain", "input": json.loads(SMALL), "confirmation": "compact"},
        headers={**jobs.api.bearer(), "Idempotency-Key": KEY},
    )
    assert ran.document == again.json()
    assert [each["idempotency_key"] for each in ran.said] == [KEY]


@pytest.mark.parametrize("given", [SMALL, "@input.json", "-"])
def test_the_job_has_the_input_when_it_is_text_a_file_or_piped(
    jobs: Jobs, given: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "input.json").write_text(SMALL)
    ran = jobs("submit", "sha256.chain", "--input", given, stdin=SMALL.encode())
    job_id = ran.stdout.strip()
    jobs.finish(job_id)
    assert json.loads(jobs("result", job_id).stdout)["rounds"] == 3
    assert not any(path.endswith("/v1/uploads") for path in jobs.network.paths())


@pytest.mark.parametrize("how", ["@large.json", "-", "upload"])
def test_the_input_is_uploaded_when_it_is_large_or_asked_for(
    jobs: Jobs, how: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "large.json").write_bytes(LARGE)
    option = ("--upload", "large.json") if how == "upload" else ("--input", how)
    ran = jobs("submit", "merkle.root", *option, stdin=LARGE)
    assert ran.exit_code == 0, ran.stderr
    assert f"uploading {len(LARGE):,} bytes" in ran.stderr
    job_id = ran.stdout.strip()
    jobs.finish(job_id)
    assert json.loads(jobs("result", job_id).stdout)["leaves"] == 4_000


def test_a_small_input_is_uploaded_when_that_is_asked_for(jobs: Jobs, tmp_path: Path) -> None:
    (tmp_path / "small.json").write_text(SMALL)
    ran = jobs("submit", "sha256.chain", "--upload", str(tmp_path / "small.json"))
    assert ran.exit_code == 0
    assert any(path.endswith("/v1/uploads") for path in jobs.network.paths())


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ('{"rounds": 3', "no JSON: Expecting ',' delimiter (line 1, column 13)"),
        ("", "no JSON"),
        ("[1]", "has to be a JSON object"),
        ('{"n": NaN}', "no JSON in UTF-8"),
        ('{"s": "\\ud800"}', "no JSON in UTF-8"),
        ("[" * 100_000, "no JSON in UTF-8"),
        ("@nowhere.json", "nowhere.json cannot be read: No such file or directory"),
    ],
)
def test_nothing_is_sent_when_the_input_is_no_input(jobs: Jobs, given: str, complaint: str) -> None:
    ran = jobs("submit", "sha256.chain", "--input", given)
    assert (ran.exit_code, ran.stdout, jobs.network.asked) == (2, "", [])
    assert complaint in ran.stderr


@pytest.mark.parametrize("options", [(), ("--input", SMALL, "--uploaded", "upl_1")])
def test_nothing_is_sent_when_there_is_not_exactly_one_input(jobs: Jobs, options: tuple[str, ...]) -> None:
    ran = jobs("submit", "sha256.chain", *options, "--json")
    assert (ran.exit_code, jobs.network.asked) == (2, [])
    assert "exactly one of --input, --upload and --uploaded" in ran.said[-1]["detail"]


def test_every_wrong_place_is_named_when_the_api_refuses_the_input(jobs: Jobs) -> None:
    ran = jobs("submit", "sha256.chain", "--input", '{"seed": 1, "x": 2}')
    assert (ran.exit_code, ran.stdout) == (3, "")
    for told in (
        "invalid_request (400)",
        "/input/seed",
        "/input/rounds",
        "/input/x",
        "request ",
        "/v1/problems/",
    ):
        assert told in ran.stderr


def test_the_problem_is_the_apis_own_when_a_program_is_refused(jobs: Jobs) -> None:
    ran = jobs("submit", "no.such", "--input", "{}", "--json")
    assert (ran.exit_code, ran.stdout) == (3, "")
    assert (ran.said[-1]["code"], ran.said[-1]["status"]) == ("unknown_job_type", 400)


@pytest.mark.parametrize(
    ("trouble", "pauses"),
    [
        (lost_answer, [1, 2]),
        (no_connection, [1, 2]),
        (answering(503, UNAVAILABLE), [1, 2]),
        (answering(503, UNAVAILABLE, Retry_After="7"), [7, 7]),
    ],
)
def test_there_is_one_job_when_a_submit_is_tried_again(
    jobs: Jobs, trouble: Trouble, pauses: list[float]
) -> None:
    jobs.network.trouble("/v1/jobs", trouble, trouble)
    ran = jobs("submit", "sha256.chain", "--input", SMALL)
    assert (ran.exit_code, ran.stdout.strip()) == (0, only_job(jobs))
    assert len(set(jobs.network.sent("Idempotency-Key"))) == 1
    assert len(jobs.network.sent("Idempotency-Key")) == 3
    assert jobs.system.pauses == pauses
    assert "attempt 3 of 5" in ran.stderr


def test_the_service_is_asked_five_times_at_most_when_it_is_gone(jobs: Jobs) -> None:
    jobs.network.trouble("/v1/oauth/token", *[no_connection] * 9)
    ran = jobs("submit", "sha256.chain", "--input", SMALL, "--json")
    assert (ran.exit_code, ran.said[-1]["code"]) == (4, "no_connection")
    assert (len(jobs.network.asked), jobs.system.pauses) == (5, [1, 2, 4, 8])


def test_the_pause_is_as_long_as_told_when_the_plan_allows_no_more(jobs: Jobs) -> None:
    jobs.submitted(tenant=THROTTLED)
    ran = jobs("submit", "sha256.chain", "--input", SMALL, tenant=THROTTLED)
    assert (ran.exit_code, jobs.system.pauses) == (0, [1])
    assert "rate_limited: again in 1 s" in ran.stderr


def test_the_command_ends_at_once_when_it_would_have_to_wait_for_long(jobs: Jobs) -> None:
    jobs.submitted(tenant=SPENT)
    ran = jobs("submit", "sha256.chain", "--input", SMALL, tenant=SPENT)
    assert (ran.exit_code, jobs.system.pauses) == (4, [])
    assert "Try again in " in ran.stderr


def test_an_interrupted_submit_gives_one_job_when_it_is_repeated_with_its_key(jobs: Jobs) -> None:
    def accepted_unheard(request: httpx.Request, send: Send) -> httpx.Response:
        send(request).read()
        raise KeyboardInterrupt

    jobs.network.trouble("/v1/jobs", accepted_unheard)
    ran = jobs("submit", "sha256.chain", "--input", SMALL, "--json")
    assert (ran.exit_code, ran.stdout) == (130, "")
    key = ran.said[0]["idempotency_key"]
    assert f"--key {key}" in ran.said[-1]["advice"]
    again = jobs("submit", "sha256.chain", "--input", SMALL, "--key", key)
    assert (again.exit_code, again.stdout.strip()) == (0, only_job(jobs))
    assert "An earlier request with this key made" in again.stderr


def test_an_interrupted_upload_gives_one_job_when_the_same_upload_is_named(jobs: Jobs) -> None:
    jobs.network.trouble("/v1/jobs", lost_answer, interrupted)
    ran = jobs("submit", "merkle.root", "--input", "-", "--json", stdin=LARGE)
    assert ran.exit_code == 130
    told = next(each for each in ran.said if "idempotency_key" in each)
    repeated = ("--key", told["idempotency_key"], "--uploaded", told["upload_id"])
    assert ran.said[-1]["advice"].endswith(" ".join(repeated))
    again = jobs("submit", "merkle.root", *repeated)
    assert (again.exit_code, again.stdout.strip()) == (0, only_job(jobs))


def test_the_upload_is_whole_when_it_had_to_be_sent_twice(jobs: Jobs) -> None:
    jobs.network.trouble("/v1/uploads", lost_answer)
    ran = jobs("submit", "merkle.root", "--input", "-", stdin=LARGE)
    assert (ran.exit_code, jobs.system.pauses) == (0, [1])


def test_the_deadline_is_sent_when_there_is_one(jobs: Jobs) -> None:
    jobs("submit", "sha256.chain", "--input", SMALL, "--deadline", "60")
    body = next(json.loads(each.read()) for each in jobs.network.asked if each.url.path.endswith("/v1/jobs"))
    assert body == {"type": "sha256.chain", "input": {"seed": SEED, "rounds": 3}, "deadline_seconds": 60}


def test_the_end_is_printed_when_a_program_waits_for_it(jobs: Jobs) -> None:
    job_id = jobs.submitted("--key", KEY)
    jobs.system.meanwhile = jobs.work(job_id)
    ran = jobs("submit", "sha256.chain", "--input", SMALL, "--key", KEY, "--wait", "--json")
    assert (ran.exit_code, ran.document["id"], ran.document["status"]) == (0, job_id, "succeeded")


def test_the_id_comes_before_the_wait_when_it_is_interrupted(jobs: Jobs) -> None:
    job_id = jobs.submitted("--key", KEY)
    jobs.network.trouble(f"/v1/jobs/{job_id}", interrupted)
    ran = jobs("submit", "sha256.chain", "--input", SMALL, "--key", KEY, "--wait")
    assert (ran.exit_code, ran.stdout) == (130, f"{job_id}\n")
    assert f"jobs wait {job_id}" in ran.stderr
