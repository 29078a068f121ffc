"""README.md and DESIGN.md stay true: their snippets run, and what they point at exists."""

import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from chalicelib.admin.compatibility.rules import rules_list
from chalicelib.admin.gas_table import gas_table, load_gas
from chalicelib.admin.job_types_table import job_types_table
from chalicelib.admin.outcomes_table import outcomes_table
from chalicelib.admin.plans_table import plans_table
from chalicelib.admin.problems_table import problems_table
from chalicelib.admin.scopes_table import scopes_table
from chalicelib.domain.metering import METERED
from chalicelib.job_types import JOB_TYPES
from chalicelib.plans import load_plans
from chalicelib.web.operations import OPERATIONS, problems_of
from chalicelib.web.problems import CATALOGUE
from client.documents import ConfirmationPath
from client.jobs import JobsClient
from client.money import money
from tests.stack_process import StackProcess, start_stack
from tests.waiting import until

REPOSITORY = Path(__file__).parents[2]
README = (REPOSITORY / "README.md").read_text()
DESIGN = (REPOSITORY / "DESIGN.md").read_text()
MAKEFILE = (REPOSITORY / "Makefile").read_text()
TESTS = "\n".join(path.read_text() for path in REPOSITORY.glob("tests/**/test_*.py"))


def snippet(name: str) -> str:
    """The code of the snippet of that name in README.md."""
    found = re.search(rf"<!-- snippet: {name} -->\n```\w+\n(.*?)```", README, re.DOTALL)
    assert found, f"README.md has no snippet {name}"
    return found[1]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackProcess]:
    with start_stack(tmp_path_factory.mktemp("stack") / ".local") as started:
        started.ready()
        yield started


def test_the_client_snippet_prints_the_result_when_a_stack_runs(stack: StackProcess) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", snippet("client")],
        cwd=stack.state_dir.parent,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.fullmatch(r'succeeded \{"digest":"0x[0-9a-f]{64}","rounds":1000000\}\n', ran.stdout)


def test_the_gateway_snippets_print_what_the_readme_says(tmp_path: Path) -> None:
    *making, starting = snippet("functions").splitlines()
    subprocess.run(["bash", "-ec", "\n".join(making)], cwd=tmp_path, check=True)
    _python, _m, _emulation, _up, *options = shlex.split(starting)
    told = dict(zip(options[::2], options[1::2], strict=True))
    folders = tmp_path / told.pop("--project"), tmp_path / told.pop("--state-dir")
    rest = [part for option in told.items() for part in option]
    with start_stack(folders[1], *rest, project=folders[0]) as started:
        started.ready()
        printed = subprocess.run(
            [sys.executable, "-c", snippet("gateway")],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
    assert printed == ["[200, 200, 429]", "[[2, 0]]"]
    assert all(f"`{line}`" in README for line in printed)


def commands_of(name: str, stack: StackProcess) -> str:
    """The snippet's commands, for this stack and this interpreter."""
    return (
        snippet(name)
        .replace("-m emulation env", f"-m emulation env --state-dir {stack.state_dir}")
        .replace(".venv/bin/", f"{Path(sys.executable).parent}/")
    )


def test_the_command_line_snippet_runs_a_job_when_a_stack_runs(stack: StackProcess) -> None:
    told = commands_of("cli", stack).replace('client "$@"', f'client "$@" --stack {stack.state_dir}')
    ran = subprocess.run(["bash", "-euc", told], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert re.search(r'"digest":"0x[0-9a-f]{64}","rounds":1000000', ran.stdout)
    assert "succeeded" in ran.stdout


def test_the_dead_letters_snippet_finds_none_when_a_stack_runs(stack: StackProcess) -> None:
    told = commands_of("dead-letters", stack)
    ran = subprocess.run(["bash", "-ec", told], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("No dead letters")
    assert "0 sent again" in ran.stdout


def test_the_invoices_snippet_recomputes_what_is_shown_and_finds_no_drift(stack: StackProcess) -> None:
    described = stack.ready()
    acme = described["tenants"][0]
    with JobsClient(described["api"]["base_url"], acme["client_id"], acme["client_secret"]) as jobs:
        jobs.wait(jobs.submit("sha256.chain", {"seed": "0x" + "00" * 32, "rounds": 1}).job.id)
    ran = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", commands_of("invoices", stack)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    lines = ran.stdout.splitlines()
    (recomputed,) = (json.loads(line) for line in lines if line.startswith("{"))
    total = f"total {money(int(recomputed['total_micros']))} {recomputed['currency']}"
    assert any(line.endswith(total) for line in lines)
    assert lines[-1] == "zero drift"


def test_the_administration_snippet_shows_its_own_acts_when_a_stack_runs(stack: StackProcess) -> None:
    ran = subprocess.run(
        ["bash", "-ec", commands_of("administration", stack)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    assert re.search(r"zjs_[0-9A-Za-z]{49}", ran.stdout)
    acts = re.findall(r"(?:tenant|client|keys)\.[a-z]+", ran.stdout)
    assert acts[-3:] == ["keys.rotated", "client.added", "tenant.added"]


def test_the_signers_snippet_rotates_and_verifies_when_a_stack_runs(stack: StackProcess) -> None:
    description = stack.ready()
    tenant = description["tenants"][0]
    credentials = tenant["client_id"], tenant["client_secret"]
    with JobsClient(description["api"]["base_url"], *credentials) as jobs:
        asked = {"seed": "0x" + "00" * 32, "rounds": 1}
        job_id = jobs.submit("sha256.chain", asked, confirmation=ConfirmationPath.COMPACT).job.id
        jobs.wait(job_id)
    ran = subprocess.run(
        ["bash", "-ec", commands_of("signers", stack).replace("job_…", job_id)],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    )
    duties = re.findall(r"^0x\w{40} +(\w+)", ran.stdout, re.MULTILINE)
    assert duties == ["active", *("retired", "active"), *("retired", "retired", "active")]
    verdict = f"job {job_id} of {tenant['tenant_id']}, compact: all of it holds"
    assert ran.stdout.splitlines().count(verdict) == 2


def test_chalice_local_serves_the_routes_when_a_stack_runs(stack: StackProcess) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    commands = commands_of("chalice", stack).replace("--port 8000", f"--port {port}")
    served = subprocess.Popen(
        ["bash", "-c", commands], cwd=REPOSITORY, stderr=subprocess.PIPE, start_new_session=True
    )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
            until(lambda: _is_up(http), within_seconds=30, what="chalice local")
            tenant = stack.ready()["tenants"][0]
            token = http.post(
                "/v1/oauth/token",
                auth=(tenant["client_id"], tenant["client_secret"]),
                data={"grant_type": "client_credentials"},
            ).json()["access_token"]
            http.headers["Authorization"] = f"Bearer {token}"
            body = {"type": "sha256.chain", "input": {"seed": "0x" + "00" * 32, "rounds": 1}}
            submitted = http.post("/v1/jobs", json=body, headers={"Idempotency-Key": "chalice-local"})
            assert submitted.status_code == 202
            read = http.get(f"/v1/jobs/{submitted.json()['id']}")
            assert read.json()["type"] == "sha256.chain"
            assert http.post("/v1/jobs", json={}).json()["code"] == "idempotency_key_missing"
    finally:
        os.killpg(served.pid, signal.SIGKILL)
        served.communicate()


def _is_up(http: httpx.Client) -> bool:
    try:
        return http.get("/v1/health").json() == {"status": "ok"}
    except httpx.TransportError:
        return False


@pytest.mark.parametrize(("name", "text"), [("README.md", README), ("DESIGN.md", DESIGN)])
def test_every_link_leads_somewhere_when_it_is_followed(name: str, text: str) -> None:
    targets = set(re.findall(r"\]\(([^)#:]+)\)", text)) | set(re.findall(r"\*(tests/[^*]+)\*", text))
    missing = [target for target in targets if not (REPOSITORY / target).exists()]
    assert missing == []


def test_every_test_exists_when_the_design_names_it() -> None:
    names = re.findall(r"`(test_\w+?)(_…)?`", DESIGN)
    assert len(names) > 10
    unknown = [name for name, _ in names if f"def {name}" not in TESTS]
    assert unknown == []


def test_every_make_target_exists_when_the_readme_names_it() -> None:
    targets = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE))
    assert targets <= set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))


@pytest.mark.parametrize(
    ("document", "marker", "made"),
    [
        ("DESIGN.md", "plans", plans_table(load_plans())),
        ("DESIGN.md", "problems", problems_table(CATALOGUE)),
        ("DESIGN.md", "scopes", scopes_table(OPERATIONS)),
        ("DESIGN.md", "gas", gas_table(load_gas())),
        ("DESIGN.md", "job-types", job_types_table(JOB_TYPES)),
        ("DESIGN.md", "outcomes", outcomes_table(METERED)),
        ("releases/README.md", "breaking", rules_list()),
    ],
)
def test_a_table_is_what_its_command_prints(document: str, marker: str, made: str) -> None:
    text = (REPOSITORY / document).read_text()
    shown = text.partition(f"<!-- {marker} -->\n")[2].partition(f"\n<!-- /{marker} -->")[0]
    assert shown == made, (
        f"put what `.venv/bin/python -m chalicelib.admin {marker}` prints between the <!-- {marker} --> "
        f"markers of {document}"
    )


def test_the_design_counts_the_problems_as_the_table_does() -> None:
    pairs = sum(len(problems_of(operation)) for operation in OPERATIONS.values())
    assert f"each of its {pairs} pairs" in " ".join(DESIGN.split())


def test_the_design_can_be_read_in_half_an_hour() -> None:
    assert len(DESIGN.split()) <= 6000
