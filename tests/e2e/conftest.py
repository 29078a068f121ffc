"""The product from outside: HTTP, the AWS APIs of the edge, and the chain."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from web3 import HTTPProvider, Web3

from client.jobs import TIMEOUT_SECONDS, JobsClient
from client.oauth import ClientCredentials
from client.system import System
from client.verify import Registry
from tests.e2e.other_emulator import ministack
from tests.stack_process import StackProcess, start_stack


@dataclass(frozen=True, slots=True)
class Caller:
    """A tenant, by its typed client and by bare HTTP with its tokens."""

    tenant_id: str
    plan: str
    client: JobsClient
    http: httpx.Client


@contextmanager
def calling(stack: dict[str, Any], name: str) -> Iterator[Caller]:
    tenant = next(each for each in stack["tenants"] if each["name"] == name)
    base_url, credentials = stack["api"]["base_url"], (tenant["client_id"], tenant["client_secret"])
    auth = ClientCredentials(f"{base_url}/v1/oauth/token", *credentials, System())
    with (
        JobsClient(base_url, *credentials) as client,
        httpx.Client(base_url=base_url, auth=auth, timeout=TIMEOUT_SECONDS) as http,
    ):
        yield Caller(tenant["tenant_id"], tenant["plan"], client, http)


@pytest.fixture(scope="module", params=["moto", "MiniStack"])
def started(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[StackProcess]:
    """A whole stack: on its own moto, and on an emulator that is not ours, so that nothing leans on moto."""
    folder = tmp_path_factory.mktemp("stack")
    with ExitStack() as entered:
        arguments = []
        if request.param == "MiniStack":
            endpoint = entered.enter_context(ministack(folder / "ministack.log"))
            arguments = ["--aws-endpoint", endpoint]
        yield entered.enter_context(start_stack(folder / "state", *arguments))


@pytest.fixture(scope="module")
def stack(started: StackProcess) -> dict[str, Any]:
    return started.ready()


@pytest.fixture(scope="module")
def acme(stack: dict[str, Any]) -> Iterator[Caller]:
    with calling(stack, "acme") as caller:
        yield caller


@pytest.fixture(scope="module")
def globex(stack: dict[str, Any]) -> Iterator[Caller]:
    with calling(stack, "globex") as caller:
        yield caller


@pytest.fixture(scope="module")
def registry(stack: dict[str, Any]) -> Registry:
    return Registry(Web3(HTTPProvider(stack["chain"]["rpc_url"])), stack["chain"]["registry"])
