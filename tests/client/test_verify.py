"""`jobs verify` against a real registry on a real node, with a service that may lie."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import TypeAdapter
from typer.testing import CliRunner

from client.cli.commands import app
from client.cli.session import Outside
from client.documents import Job, Status
from emulation.chain import Mining
from tests.chain.conftest import Bench
from tests.chain.conftest import bench as bench
from tests.chain.conftest import node as node
from tests.chain.conftest import runner as runner
from tests.chain.test_client_verify import JOB, TENANT, Told
from tests.chain.test_client_verify import batch as batch
from tests.chain.test_client_verify import compact as compact
from tests.chain.test_client_verify import direct as direct
from tests.client.conftest import Ran

pytestmark = pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True, scope="session")
JOB_DOCUMENT = TypeAdapter(Job)
NO_NODE = "http://127.0.0.1:1"


@dataclass(frozen=True, slots=True)
class Verify:
    """The command for one job, in a folder with a running stack's stack.json."""

    bench: Bench
    folder: Path

    def __call__(self, told: Told, *options: str, **environment: str | None) -> Ran:
        tenant = {"name": "acme", "tenant_id": TENANT, "client_id": "cli_1", "client_secret": "s"}
        chain = {"rpc_url": self.bench.rpc_url, "registry": self.bench.registry, "chain_id": 31337}
        stack = {"api": {"base_url": "http://jobs.test"}, "chain": chain, "tenants": [tenant]}
        (self.folder / "stack.json").write_text(json.dumps(stack))
        names = ("JOBS_URL", "JOBS_CLIENT_ID", "JOBS_CLIENT_SECRET", "JOBS_RPC_URL", "JOBS_REGISTRY")
        ran = CliRunner().invoke(
            app,
            ["verify", JOB, "--stack", str(self.folder), *options],
            env={**dict.fromkeys((*names, "JOBS_TENANT_ID")), **environment},
            obj=Outside(transport=httpx.MockTransport(service(told))),
        )
        assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.exception
        return Ran(ran.exit_code, ran.stdout, ran.stderr)


def service(told: Told) -> Callable[[httpx.Request], httpx.Response]:
    """Tells of the job, and has its result."""
    content = told.result.content
    stored: dict[str, Any] = {
        "job_id": JOB,
        "content": content,
        "size_bytes": len(content),
        "download_url": None,
        "sha256": hashlib.sha256(content.encode()).hexdigest(),
        "salt": told.result.salt,
        "commitment": told.result.commitment,
    }
    answers: dict[str, Any] = {
        "/v1/oauth/token": {"access_token": "t", "token_type": "Bearer", "expires_in": 600},
        f"/v1/jobs/{JOB}": JOB_DOCUMENT.dump_python(told.job, mode="json"),
        f"/v1/jobs/{JOB}/result": stored,
    }
    return lambda request: httpx.Response(200, json=answers[request.url.path])


@pytest.fixture
def verify(bench: Bench, tmp_path: Path) -> Verify:
    return Verify(bench, tmp_path)


def test_every_check_has_its_tick_when_the_service_tells_the_truth(verify: Verify, compact: Told) -> None:
    ran = verify(compact)
    *checks, verdict = ran.stdout.splitlines()
    assert (ran.exit_code, verdict) == (0, f"{JOB} is verified: all of it holds")
    assert [line[0] for line in checks] == ["✓"] * 9


def test_the_code_says_so_when_the_service_lies(verify: Verify, direct: Told) -> None:
    ran = verify(replace(direct, result=replace(direct.result, content='{"digest":"0x01"}')))
    assert ran.exit_code == 1
    assert [line.split()[1] for line in ran.stdout.splitlines() if line.startswith("✗")] == [
        "commitment",
        "recorded",
    ]
    assert f"{JOB} is not verified: commitment, recorded hash" in ran.stdout


def test_each_check_is_told_to_a_program_when_it_verifies(verify: Verify, direct: Told) -> None:
    document = verify(direct, "--json").document
    assert (document["job_id"], document["agrees"]) == (JOB, True)
    first = document["checks"][0]
    assert (first["check"], first["agrees"], first["said"]) == ("commitment", True, first["found"])
    lied = verify(replace(direct, result=replace(direct.result, content="{}")), "--json").document
    assert [each["check"] for each in lied["checks"] if not each["agrees"]] == ["commitment", "recorded hash"]


def test_the_tenant_and_the_registry_are_the_callers_when_the_environment_has_them(
    verify: Verify, direct: Told
) -> None:
    assert verify(direct, JOBS_TENANT_ID="ten_2").exit_code == 1
    assert verify(direct, JOBS_REGISTRY=verify.bench.registry).exit_code == 0


@pytest.mark.parametrize("registry", ["0x" + "12" * 20, "nonsense"])
def test_the_setting_is_named_when_no_registry_is_there(verify: Verify, direct: Told, registry: str) -> None:
    ran = verify(direct, JOBS_REGISTRY=registry)
    assert (ran.exit_code, ran.stdout) == (2, "")
    assert f"There is no registry at {registry}" in ran.stderr


def test_later_is_the_answer_when_the_node_is_not_there(verify: Verify, direct: Told) -> None:
    ran = verify(direct, "--json", JOBS_RPC_URL=NO_NODE)
    assert (ran.exit_code, ran.stdout, ran.said[-1]["code"]) == (4, "", "chain_unreachable")


def test_later_is_the_answer_when_the_confirmation_is_not_final(verify: Verify, direct: Told) -> None:
    ran = verify(replace(direct, job=replace(direct.job, status=Status.CONFIRMING)), "--json")
    assert (ran.exit_code, ran.stdout, ran.said[-1]["code"]) == (4, "", "not_final")
    assert f"jobs wait {JOB}" in ran.said[-1]["detail"]
