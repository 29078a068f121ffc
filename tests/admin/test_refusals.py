"""What a command says that can do nothing, or was written wrongly: one line, and no traceback."""

from pathlib import Path

import pytest

from chalicelib.admin.commands.printing import told
from chalicelib.domain.errors import Superseded
from emulation.environment import edge_client
from tests.admin.commands import Admin


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("tenant", "add", "a b", "--plan", "pro"), "This is no name of a tenant: take 1 to 64 letters"),
        (
            ("tenant", "add", "a", "--plan", "gold"),
            "There is no plan 'gold': the plans are free, pro, enterpr",
        ),
        (("tenant", "suspend", "nobody"), "There is no tenant nobody: `tenant list` shows those there are."),
        (("tenant", "resume", "nobody"), "There is no tenant nobody: `tenant list`"),
        (("client", "list", "--tenant", "nobody"), "There is no tenant nobody: `tenant list`"),
        (("client", "add", "--tenant", "nobody"), "There is no tenant nobody: `tenant list`"),
        (("client", "rotate", "cli_1"), "This is no client's id: it is `cli_` and 26 characters"),
        (("client", "revoke", f"cli_{0:026d}"), f"There is no client cli_{0:026d}: `client list` shows"),
        (("provision", "--tenant", "acme"), "There is no plan '': the plans are"),
        (("provision", "--tenant", "a/b:pro"), "This is no name of a tenant: take"),
    ],
)
@pytest.mark.parametrize("as_json", [(), ("--json",)])
def test_a_line_says_what_to_do_when_a_command_is_refused(
    admin: Admin, arguments: tuple[str, ...], line: str, as_json: tuple[str, ...]
) -> None:
    assert admin(*arguments, *as_json).refusal.startswith(line)


@pytest.mark.parametrize(
    "arguments",
    [
        ("tenant", "add", "a"),
        ("tenant", "add", "--plan", "pro"),
        ("tenant", "remove", "a"),
        ("client", "add"),
        ("client", "add", "--tenant", "a", "--public-key", "no-such-file"),
        ("client", "rotate", "cli_1", "--overlap-hours", "-1"),
        ("client", "rotate", "cli_1", "--overlap-hours", "169"),
        ("client", "rotate", "cli_1", "--overlap-hours", "soon"),
        ("client", "rotate", "cli_1", "--lost", "--overlap-hours", "0"),
        ("audit", "--limit", "0"),
        ("audit", "--limit", "1001"),
        ("keys", "retire"),
        ("dead-letters", "list", "--queue", "jobs"),
    ],
)
def test_the_status_is_2_when_a_command_is_written_wrongly(admin: Admin, arguments: tuple[str, ...]) -> None:
    ended = admin(*arguments)
    assert (ended.status, ended.out) == (2, "")
    assert "--help" in ended.err


def test_a_line_says_so_when_no_stack_is_named(admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    refusal = admin("tenant", "list").refusal
    assert refusal.startswith("AWS_ENDPOINT_URL is not set: start a stack with `make up`, then run `eval ")


@pytest.mark.parametrize(
    "arguments", [("tenant", "list"), ("keys", "rotate"), ("provision", "--tenant", "acme:pro")]
)
def test_a_line_says_so_when_the_stack_is_gone(
    admin: Admin, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    refusal = admin(*arguments).refusal
    assert refusal.startswith("The stack did not do it (Could not connect to the endpoint URL: ")
    assert refusal.endswith("see `audit`, and run it again.")


@pytest.mark.parametrize("url", ["127.0.0.1:4566", "http://", "http://a b"])
def test_a_line_says_so_when_the_stack_has_no_url(
    admin: Admin, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", url)
    assert admin("tenant", "list").refusal.startswith(f"AWS_ENDPOINT_URL is {url!r}, and no URL")


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("AWS_DEFAULT_REGION", None, "You must specify a region."),
        ("AWS_ACCESS_KEY_ID", None, "Unable to locate credentials"),
        ("AWS_PROFILE", "nobody", "The config profile (nobody) could not be found"),
    ],
)
def test_a_line_says_so_when_the_environment_is_not_a_stack_s(
    admin: Admin,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    variable: str,
    value: str | None,
    reason: str,
) -> None:
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.delenv(variable, raising=False)
    if value:
        monkeypatch.setenv(variable, value)
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    assert admin("tenant", "list").refusal.startswith(f"The stack did not do it ({reason}")


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "clock"])
def test_a_line_says_so_when_the_clock_is_gone(
    admin: Admin, monkeypatch: pytest.MonkeyPatch, name: str, url: str
) -> None:
    monkeypatch.setenv("JOBS_CLOCK_URL", url)
    refusal = admin("tenant", "add", name, "--plan", "pro").refusal
    assert refusal.startswith("The stack did not do it (")


def test_the_next_run_completes_a_tenant_when_the_gateway_had_no_plan_for_it(
    edge_url: str, admin: Admin, name: str
) -> None:
    gateway = edge_client("apigateway", edge_url)
    plans = gateway.get_usage_plans(limit=500)["items"]
    plan_id = next(plan["id"] for plan in plans if plan["name"] == "enterprise-read")
    rename = {"op": "replace", "path": "/name"}
    gateway.update_usage_plan(usagePlanId=plan_id, patchOperations=[{**rename, "value": "gone"}])
    refusal = admin("tenant", "add", name, "--plan", "enterprise").refusal
    assert refusal == "The gateway has no usage plan enterprise-read: make it there, and run it again."
    gateway.update_usage_plan(usagePlanId=plan_id, patchOperations=[{**rename, "value": "enterprise-read"}])
    completed = admin("tenant", "add", name, "--plan", "enterprise", "--json").document
    assert completed["changed"] is False
    assert len(gateway.get_api_keys(nameQuery=completed["tenant_id"])["items"]) == 2


def test_a_line_says_so_when_someone_was_faster(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended, told():
        raise Superseded
    assert ended.value.code == 1
    line = "Someone changed it meanwhile, and nothing was done: run it again.\n"
    assert capsys.readouterr() == ("", line)
