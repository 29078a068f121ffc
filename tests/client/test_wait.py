"""`jobs wait`: what is seen on the way, and how it ends."""

from tests.client.conftest import Jobs, answering, interrupted, lost_answer, no_connection


def test_a_line_a_job_is_printed_when_all_have_succeeded(jobs: Jobs) -> None:
    first, second = jobs.submitted(), jobs.submitted()
    jobs.system.meanwhile = jobs.work(first, second)
    ran = jobs("wait", first, second, first)
    assert ran.exit_code == 0
    assert sorted(ran.stdout.splitlines()) == sorted([f"{first} succeeded", f"{second} succeeded"])


def test_each_change_is_told_on_stderr_when_nobody_watches(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs.system.meanwhile = jobs.work(job_id)
    ran = jobs("wait", job_id)
    seen = [line.removeprefix(f"{job_id} ") for line in ran.stderr.splitlines()]
    assert seen == [
        "queued",
        "confirming (pending) 100%",
        "confirming (broadcast) 100%",
        "confirming (mined, 1 deep) 100%",
        "confirming (mined, 2 deep) 100%",
        "succeeded 100%",
    ]


def test_a_bar_moves_when_a_terminal_shows_it(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs.system.meanwhile = jobs.work(job_id)
    ran = jobs("wait", job_id, environment={"FORCE_COLOR": "1", "TERM": "xterm-256color"})
    assert ran.stdout == f"{job_id} succeeded\n"
    assert "━" in ran.stderr
    assert "100%" in ran.stderr


def test_a_json_line_a_job_is_printed_when_a_program_waits(jobs: Jobs) -> None:
    ids = [jobs.submitted(), jobs.submitted()]
    jobs.system.meanwhile = jobs.work(*ids)
    ran = jobs("wait", *ids, "--json")
    assert {each["id"]: each["status"] for each in ran.lines} == dict.fromkeys(ids, "succeeded")
    assert all("notice" in each for each in ran.said)


def test_the_code_says_so_when_one_of_the_jobs_was_canceled(jobs: Jobs) -> None:
    jobs.finish(ended := jobs.submitted())
    canceled = jobs.submitted()
    jobs("cancel", canceled)
    ran = jobs("wait", ended, canceled)
    assert ran.exit_code == 1
    assert sorted(ran.stdout.splitlines()) == sorted([f"{ended} succeeded", f"{canceled} canceled"])


def test_it_is_said_why_when_a_job_failed(jobs: Jobs) -> None:
    error = {"code": "job_error", "detail": "The leaves are not unique."}
    job_id = jobs.submitted()
    failed = {**jobs("get", job_id, "--json").document, "status": "failed", "error": error}
    jobs.network.trouble(f"/v1/jobs/{job_id}", answering(200, failed))
    ran = jobs("wait", job_id)
    assert (ran.exit_code, ran.stdout) == (1, f"{job_id} failed\n")
    assert "job_error: The leaves are not unique." in ran.stderr


def test_the_wait_can_go_on_when_its_time_was_up(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    ran = jobs("wait", job_id, "--timeout", "30")
    assert (ran.exit_code, ran.stdout) == (5, "")
    assert f"jobs wait {job_id}" in ran.stderr
    jobs.finish(job_id)
    assert jobs("wait", job_id).exit_code == 0


def test_only_what_is_open_is_to_be_waited_for_when_a_wait_is_interrupted(jobs: Jobs) -> None:
    jobs.finish(ended := jobs.submitted())
    is_open = jobs.submitted()
    jobs.network.trouble(f"/v1/jobs/{is_open}", lambda request, send: send(request), interrupted)
    ran = jobs("wait", ended, is_open, "--json")
    assert (ran.exit_code, [each["id"] for each in ran.lines]) == (130, [ended])
    assert ran.said[-1]["code"] == "interrupted"
    assert ran.said[-1]["advice"].endswith(f"jobs wait {is_open}")
    assert "Traceback" not in ran.stderr


def test_the_wait_goes_on_when_there_is_trouble_on_the_way(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs.system.meanwhile = jobs.work(job_id)
    unavailable = {"code": "unavailable", "detail": "Later.", "retryable": True}
    busy = answering(503, unavailable, Retry_After="3")
    jobs.network.trouble(f"/v1/jobs/{job_id}", lost_answer, no_connection, busy, lost_answer)
    assert jobs("wait", job_id).exit_code == 0
    assert jobs.system.pauses[:5] == [0, 1, 1, 3, 1]


def test_the_wait_ends_when_no_connection_comes_back(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs.network.trouble(f"/v1/jobs/{job_id}", *[no_connection] * 99)
    ran = jobs("wait", job_id)
    assert (ran.exit_code, ran.stdout) == (4, "")
    assert sum(jobs.system.pauses) == 15


def test_the_job_is_none_of_ours_when_it_is_not_there(jobs: Jobs) -> None:
    ran = jobs("wait", "job_00000000000000000000000001", "--json")
    assert (ran.exit_code, ran.said[-1]["code"]) == (3, "job_not_found")


def token_requests(jobs: Jobs) -> int:
    return sum(path.endswith("/v1/oauth/token") for path in jobs.network.paths())


def test_the_token_is_renewed_when_it_ends_during_a_wait(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    before = token_requests(jobs)
    ran = jobs("wait", job_id, "--timeout", "700")
    assert (ran.exit_code, token_requests(jobs) - before > 1) == (5, True)


def test_a_refused_token_is_replaced_when_the_machine_has_slept_meanwhile(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    before = token_requests(jobs)
    steps = iter([lambda: None, lambda: jobs.system.sleep(7200), lambda: jobs.finish(job_id)])
    jobs.system.meanwhile = steps
    ran = jobs("wait", job_id)
    assert (ran.exit_code, token_requests(jobs) - before) == (0, 2)
