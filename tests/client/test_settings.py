"""Which service a command speaks to, and as whom; what is missing is named, and a secret never shown."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import ACME, GLOBEX, SECRET, client_id
from tests.client.conftest import Jobs

SERVICE = ("JOBS_URL", "JOBS_CLIENT_ID", "JOBS_CLIENT_SECRET")
UNSET: Mapping[str, str | None] = dict.fromkeys(SERVICE)


def describe(jobs: Jobs, path: Path, **changes: Any) -> Path:
    """The stack.json of a stack that runs the API."""
    tenants = [
        {"name": name, "tenant_id": each, "client_id": client_id(each), "client_secret": SECRET}
        for name, each in (("acme", ACME), ("globex", GLOBEX))
    ]
    chain = {"rpc_url": "http://127.0.0.1:1", "registry": "0x" + "12" * 20, "chain_id": 31337}
    document = {"api": {"base_url": jobs.api.base_url, "id": "a"}, "chain": chain, "tenants": tenants}
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({**document, **changes}))
    return path


def test_the_stack_here_is_used_when_the_environment_says_nothing(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    describe(jobs, tmp_path / ".local" / "stack.json")
    monkeypatch.chdir(tmp_path)
    job_id = jobs.submitted()
    assert jobs("get", job_id, environment=UNSET).exit_code == 0
    assert jobs("get", job_id, "--tenant", "globex", environment=UNSET).exit_code == 3


def test_the_named_stack_goes_first_when_the_environment_says_otherwise(jobs: Jobs, tmp_path: Path) -> None:
    job_id = jobs.submitted()
    path = describe(jobs, tmp_path / "stack.json")
    wrong = {"JOBS_URL": "http://127.0.0.1:1"}
    for named in (path, tmp_path):
        assert jobs("get", job_id, "--stack", str(named), environment=wrong).exit_code == 0


@pytest.mark.parametrize("missing", SERVICE)
def test_the_missing_setting_is_named_when_the_others_are_there(jobs: Jobs, missing: str) -> None:
    ran = jobs("list", environment={missing: None})
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert ran.stderr == f"✗ Set {missing} too, or unset the others to use a local stack.\n"


def test_both_ways_are_told_when_nothing_is_set(
    jobs: Jobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ran = jobs("list", "--json", environment=UNSET)
    (problem,) = ran.said
    assert (ran.exit_code, problem["code"]) == (2, "misuse")
    assert all(told in problem["detail"] for told in ("make up", *SERVICE))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [("{", "does not describe a stack"), ('{"api": null}', "does not describe a stack"), (None, "no ")],
)
def test_it_is_said_so_when_the_named_stack_is_none(
    jobs: Jobs, tmp_path: Path, text: str | None, complaint: str
) -> None:
    path = tmp_path / "stack.json"
    if text is not None:
        path.write_text(text)
    ran = jobs("list", "--stack", str(path))
    assert (ran.exit_code, complaint in ran.stderr) == (2, True)


def test_the_tenants_are_named_when_the_wanted_one_is_none_of_them(jobs: Jobs, tmp_path: Path) -> None:
    ran = jobs("list", "--stack", str(describe(jobs, tmp_path / "stack.json")), "--tenant", "umbrella")
    assert ran.exit_code == 2
    assert "no tenant “umbrella”: choose --tenant acme or globex" in ran.stderr


def test_the_address_is_refused_when_it_is_no_url(jobs: Jobs) -> None:
    ran = jobs("list", environment={"JOBS_URL": "127.0.0.1:4566"})
    assert (ran.exit_code, "JOBS_URL is no URL" in ran.stderr) == (2, True)


def test_a_slash_at_the_end_does_not_matter_when_the_address_has_one(jobs: Jobs) -> None:
    assert jobs("list", environment={"JOBS_URL": f"{jobs.api.base_url}/"}).exit_code == 0


def test_what_to_check_is_told_when_the_secret_is_wrong(jobs: Jobs) -> None:
    wrong = "zjs_" + "w" * 49
    ran = jobs("list", environment={"JOBS_CLIENT_SECRET": wrong})
    assert (ran.exit_code, ran.stdout) == (3, "")
    assert "Check JOBS_CLIENT_ID and JOBS_CLIENT_SECRET" in ran.stderr
    assert wrong not in ran.stderr


@pytest.mark.parametrize("missing", ["JOBS_RPC_URL", "JOBS_REGISTRY", "JOBS_TENANT_ID"])
def test_nothing_is_asked_when_a_setting_of_the_chain_is_missing(jobs: Jobs, missing: str) -> None:
    chain = {"JOBS_RPC_URL": "http://127.0.0.1:1", "JOBS_REGISTRY": "0x", "JOBS_TENANT_ID": ACME}
    ran = jobs("verify", "job_1", environment={**chain, missing: None})
    assert (ran.exit_code, jobs.network.asked) == (2, [])
    assert ran.stderr.startswith(f"✗ Set {missing}: ")


def test_no_command_takes_a_secret_when_its_help_is_read(jobs: Jobs) -> None:
    commands = (
        "submit",
        "get",
        "wait",
        "cancel",
        "list",
        "result",
        "verify",
        "job-types",
        "usage",
        "invoice",
    )
    for command in commands:
        ran = jobs(command, "--help")
        assert ran.exit_code == 0
        assert "secret" not in ran.stdout.lower()


def test_every_exit_code_is_explained_when_the_help_is_read(jobs: Jobs) -> None:
    shown = jobs("--help").stdout
    for code in (0, 1, 2, 3, 4, 5, 130):
        assert f"{code}  " in shown
