"""`jobs get`, `list`, `cancel`, `job-types`, `usage` and `invoice`: for people, and as the API sends it."""

import re
import shlex
from datetime import datetime, timedelta

import pytest

from tests.api.conftest import ACME, GLOBEX, Api
from tests.client.conftest import Jobs, answering, no_connection

NOBODY = "job_00000000000000000000000001"


def sent(api: Api, path: str) -> object:
    """The API's own document."""
    return api.http.get(path, headers=api.bearer()).json()


def test_the_job_is_shown_when_it_is_asked_for(jobs: Jobs) -> None:
    job_id = jobs.submitted("--confirmation", "compact")
    jobs.finish(job_id)
    shown = dict(line.split(maxsplit=1) for line in jobs("get", job_id).stdout.splitlines())
    assert (shown["id"], shown["status"], shown["done"]) == (job_id, "succeeded", "100%")
    assert shown["type"].startswith("sha256.chain")
    assert re.fullmatch(r"compact, final in block \d+, 3 deep", shown["confirmation"])
    assert {"created", "queued", "running", "confirming", "succeeded"} <= shown.keys()


def test_the_deadline_is_shown_as_long_as_there_is_no_result(jobs: Jobs) -> None:
    job_id = jobs.submitted("--deadline", "90")
    made = datetime.fromisoformat(jobs("get", job_id, "--json").document["created_at"])
    assert f"deadline      {made + timedelta(seconds=90):%Y-%m-%d %H:%M:%SZ}" in jobs("get", job_id).stdout
    jobs.finish(job_id)
    assert "deadline" not in jobs("get", job_id).stdout


@pytest.mark.parametrize("command", ["get", "result", "job-types", "usage", "invoice"])
def test_the_document_is_the_apis_own_when_a_program_asks(jobs: Jobs, command: str) -> None:
    job_id = jobs.submitted()
    jobs.finish(job_id)
    path, arguments = {
        "get": (f"/v1/jobs/{job_id}", [job_id]),
        "result": (f"/v1/jobs/{job_id}/result", [job_id]),
        "job-types": ("/v1/job-types", []),
        "usage": ("/v1/usage?from=2026-11-22&to=2026-11-23", ["--from", "2026-11-22", "--to", "2026-11-23"]),
        "invoice": ("/v1/invoices/2026-11", ["2026-11"]),
    }[command]
    ran = jobs(command, *arguments, "--json")
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert ran.document == sent(jobs.api, path)


def test_what_the_client_does_not_know_is_passed_on_when_the_api_has_more(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    later = {**jobs("get", job_id, "--json").document, "colour": "blue", "large": 2**70}
    later |= {"compute": {"estimated_units": 9, "used_units": 4}, "type_version": 2}
    jobs.network.trouble(f"/v1/jobs/{job_id}", *[answering(200, later)] * 2)
    assert jobs("get", job_id, "--json").document == later
    shown = jobs("get", job_id).stdout
    assert "sha256.chain (version 2)" in shown
    assert "4 of about 9 units" in shown


def test_the_jobs_are_a_table_when_they_are_listed(jobs: Jobs) -> None:
    first, second = jobs.submitted(), jobs.submitted()
    jobs("cancel", first)
    header, *rows = jobs("list").stdout.splitlines()
    assert header.split() == ["ID", "TYPE", "STATUS", "DONE", "CREATED"]
    assert {row.split()[0]: row.split()[2] for row in rows} == {second: "queued", first: "canceled"}


def test_the_lines_are_the_apis_own_when_a_program_lists(jobs: Jobs) -> None:
    ids = {jobs.submitted(), jobs.submitted()}
    lines = jobs("list", "--json").lines
    assert {each["id"] for each in lines} == ids
    page = sent(jobs.api, "/v1/jobs")
    assert isinstance(page, dict)
    assert lines == page["data"]


def test_only_those_are_listed_that_fit_every_filter(jobs: Jobs) -> None:
    old, canceled, fitting = jobs.submitted(), jobs.submitted(), ""
    jobs("cancel", canceled)
    jobs.api.stack.clock.advance(3600)
    after = jobs.api.adapters.clock.now()
    fitting = jobs.submitted()
    filters = ("--status", "queued", "--type", "sha256.chain", "--after", after.isoformat())
    assert [each["id"] for each in jobs("list", *filters, "--before", "2099-01-01", "--json").lines] == [
        fitting
    ]
    earlier = jobs("list", "--before", after.isoformat(), "--json").lines
    assert {each["id"] for each in earlier} == {old, canceled}


def test_no_more_are_listed_than_asked_for_and_it_is_said_when_there_are_more(jobs: Jobs) -> None:
    for _ in range(3):
        jobs.submitted()
    few = jobs("list", "--limit", "2")
    assert len(few.stdout.splitlines()) == 1 + 2
    assert "more than these 2" in few.stderr
    assert "more" not in jobs("list", "--limit", "3").stderr


def test_stdout_is_empty_when_there_is_nothing_to_list(jobs: Jobs) -> None:
    ran = jobs("list")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "", "No job is like that.\n")


@pytest.mark.parametrize(
    "arguments",
    [
        ("list", "--status", "lost"),
        ("list", "--after", "yesterday"),
        ("list", "--limit", "0"),
        ("usage", "--from", "20261123"),
        ("wait",),
        ("unknown",),
    ],
)
def test_nothing_is_asked_when_the_command_line_is_wrong(jobs: Jobs, arguments: tuple[str, ...]) -> None:
    ran = jobs(*arguments)
    assert (ran.exit_code, ran.stdout, jobs.network.asked) == (2, "", [])
    assert ran.stderr


def test_the_same_is_answered_when_a_job_is_canceled_twice(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    assert [jobs("cancel", job_id).stdout for _ in range(2)] == [f"{job_id} canceled\n"] * 2
    assert jobs("cancel", job_id, "--json").document == sent(jobs.api, f"/v1/jobs/{job_id}")


def test_the_refusal_is_told_when_it_is_too_late_to_cancel(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs.finish(job_id)
    ran = jobs("cancel", job_id)
    assert (ran.exit_code, ran.stdout) == (3, "")
    assert ran.stderr.startswith("✗ job_not_cancelable (409): ")


@pytest.mark.parametrize("command", ["get", "cancel", "result", "wait"])
def test_a_job_of_another_tenant_is_not_there_when_its_id_is_known(jobs: Jobs, command: str) -> None:
    job_id = jobs.submitted()
    ran = jobs(command, job_id, tenant=GLOBEX)
    assert (ran.exit_code, ran.stdout) == (3, "")
    assert "job_not_found (404)" in ran.stderr
    assert jobs("get", job_id, tenant=ACME).exit_code == 0


def test_the_types_come_with_their_titles_when_they_are_listed(jobs: Jobs) -> None:
    shown = jobs("job-types").stdout
    assert all(name in shown for name in ("merkle.root", "sha256.chain"))


def test_an_example_can_be_pasted_when_a_type_has_one(jobs: Jobs) -> None:
    known = {"name": "a.b", "title": "A", "description": "B.", "input_schema": {}}
    later = {**known, "version": 3, "compute_unit": "a round", "available": False, "example": {"s": "it's"}}
    jobs.network.trouble("/v1/job-types", answering(200, {"data": [known, later]}))
    assert jobs("job-types").stdout.splitlines() == [
        "a.b: A",
        "",
        "a.b (version 3): A",
        "  not available on this service",
        "  a compute unit is a round",
        """  jobs submit a.b --input '{"s": "it'"'"'s"}'""",
    ]


def test_every_example_is_accepted_when_it_is_pasted(jobs: Jobs) -> None:
    lines = [line.strip() for line in jobs("job-types").stdout.splitlines()]
    commands = [shlex.split(line)[1:] for line in lines if line.startswith("jobs submit ")]
    assert len(commands) == len(jobs("job-types", "--json").document["data"])
    assert [jobs(*command).exit_code for command in commands] == [0] * len(commands)


def test_usage_and_invoice_are_tables_when_a_person_reads_them(jobs: Jobs) -> None:
    jobs.submitted()
    used, billed = jobs("usage").stdout, jobs("invoice", "2026-11").stdout
    assert re.search(r"^job\.accepted +1 +job$", used, re.MULTILINE)
    assert "plan pro: 1 of 50,000 jobs admitted in 2026-11, 1 of 1,000 active" in used
    assert re.search(r"^invoice of 2026-11 \(draft\), in USD$", billed, re.MULTILINE)
    assert re.search(r"^job\.accepted +pro +2026-11(-24)? +1 +1 +0\.002 +0\.002$", billed, re.MULTILINE)
    assert re.search(r"^total +49\.002$", billed, re.MULTILINE)


def test_there_is_no_invoice_when_the_month_has_not_begun(jobs: Jobs) -> None:
    ran = jobs("invoice", "2999-01", "--json")
    assert (ran.exit_code, ran.said[-1]["code"]) == (3, "invoice_not_found")


@pytest.mark.parametrize(
    ("trouble", "code"),
    [
        (no_connection, "no_connection"),
        (answering(502), "no_problem_document"),
        (answering(200, {"hotel": "Log in to our Wi-Fi."}), "not_understood"),
        (answering(200, "<html>"), "not_understood"),
    ],
)
def test_later_is_the_answer_when_something_is_wrong_on_the_way(
    jobs: Jobs, trouble: object, code: str
) -> None:
    jobs.network.trouble("/v1/usage", trouble)  # type: ignore[arg-type]
    ran = jobs("usage", "--json")
    assert (ran.exit_code, ran.stdout, ran.said[-1]["code"]) == (4, "", code)
