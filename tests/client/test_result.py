"""`jobs result`: the exact bytes, whole or not at all."""

import hashlib
import json
from pathlib import Path

import httpx
import pytest

from tests.client.conftest import Jobs, Send, interrupted
from tests.client.test_submit import leaves


@pytest.fixture
def large(jobs: Jobs) -> str:
    """A job whose result is too large for an answer."""
    job_id = jobs("submit", "merkle.root", "--input", leaves(1_000, proofs=True).decode()).stdout.strip()
    jobs.finish(job_id)
    assert jobs("result", job_id, "--json").document["content"] is None
    return job_id


def announced(jobs: Jobs, job_id: str) -> str:
    return str(jobs("result", job_id, "--json").document["sha256"])


def spoiled(request: httpx.Request, send: Send) -> httpx.Response:
    content = bytearray(send(request).read())
    content[-2] ^= 1
    return httpx.Response(200, content=bytes(content))


def broken_off(request: httpx.Request, send: Send) -> httpx.Response:
    content = send(request).read()

    def half() -> object:
        yield content[: len(content) // 2]
        raise httpx.ReadError("connection reset")

    return httpx.Response(200, content=half())  # type: ignore[arg-type]


def test_the_exact_bytes_are_printed_when_the_result_is_small(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs.finish(job_id)
    ran = jobs("result", job_id)
    assert hashlib.sha256(ran.stdout.encode()).hexdigest() == announced(jobs, job_id)


def test_the_exact_bytes_are_printed_when_the_result_is_large(jobs: Jobs, large: str) -> None:
    ran = jobs("result", large)
    assert (ran.exit_code, ran.stderr) == (0, "")
    assert len(json.loads(ran.stdout)["proofs"]) == 1_000
    assert hashlib.sha256(ran.stdout.encode()).hexdigest() == announced(jobs, large)


def test_the_file_has_it_whole_when_one_is_named(jobs: Jobs, large: str, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text("of yesterday")
    ran = jobs("result", large, "--output", str(file))
    assert (ran.exit_code, ran.stdout) == (0, "")
    assert "SHA-256 checked" in ran.stderr
    assert hashlib.sha256(file.read_bytes()).hexdigest() == announced(jobs, large)
    assert list(tmp_path.iterdir()) == [file]


def test_a_bar_moves_when_a_terminal_shows_the_download(jobs: Jobs, large: str, tmp_path: Path) -> None:
    ran = jobs("result", large, "-o", str(tmp_path / "r"), environment={"FORCE_COLOR": "1"})
    assert "downloading" in ran.stderr


@pytest.mark.parametrize(("trouble", "exit_code"), [(spoiled, 4), (broken_off, 4), (interrupted, 130)])
def test_nothing_is_kept_when_the_download_is_not_what_was_announced(
    jobs: Jobs, large: str, tmp_path: Path, trouble: object, exit_code: int
) -> None:
    file = tmp_path / "result.json"
    for arguments in ((), ("--output", str(file))):
        jobs.network.trouble(announced(jobs, large), trouble)  # type: ignore[arg-type]
        ran = jobs("result", large, *arguments)
        assert (ran.exit_code, ran.stdout) == (exit_code, "")
        assert list(tmp_path.iterdir()) == []


def test_the_old_file_stays_when_the_new_one_is_not_whole(jobs: Jobs, large: str, tmp_path: Path) -> None:
    file = tmp_path / "result.json"
    file.write_text("of yesterday")
    jobs.network.trouble(announced(jobs, large), broken_off)
    assert jobs("result", large, "--output", str(file)).exit_code == 4
    assert file.read_text() == "of yesterday"


def test_it_is_said_where_when_the_file_cannot_be_written(jobs: Jobs, large: str, tmp_path: Path) -> None:
    ran = jobs("result", large, "--output", str(tmp_path / "no" / "folder"), "--json")
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert "No such file or directory" in ran.said[-1]["detail"]


def test_later_is_the_answer_when_there_is_no_result_yet(jobs: Jobs) -> None:
    ran = jobs("result", jobs.submitted(), "--json")
    assert (ran.exit_code, ran.said[-1]["code"]) == (4, "result_not_ready")


def test_there_is_no_result_when_the_job_was_canceled(jobs: Jobs) -> None:
    job_id = jobs.submitted()
    jobs("cancel", job_id)
    ran = jobs("result", job_id, "--json")
    assert (ran.exit_code, ran.said[-1]["code"]) == (3, "no_result")
