"""A stack's services in this process, without functions, a chain if needed, and commands that run on them."""

import asyncio
from collections.abc import Iterator
from functools import partial
from itertools import count
from typing import Any

import httpx
import pytest
from moto.apigateway.models import apigateway_backends

from chalicelib.admin.__main__ import run
from chalicelib.admin.wiring import Administration
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from emulation.chain import Mining, start_node
from emulation.clock import ManualClock
from emulation.edge import Edge
from emulation.environment import CREDENTIALS, edge_client
from emulation.gateway.api import ACCOUNT, REGION
from emulation.provision import Api, provision_resources, provision_usage_plans
from tests.admin.chain import CONTRACTS, AdminChain
from tests.admin.commands import Admin, Ran
from tests.admin.metered import Billing
from tests.emulation.test_usage_restart import mock_api
from tests.gateway.conftest import START, Loop
from tests.stack_process import REPOSITORY
from tests.unit.world import World

_names = count()


@pytest.fixture(scope="module")
def edge_url() -> Iterator[str]:
    """The URL of an edge with the app's tables and usage plans, and no tenant; its clock stands still."""
    apigateway_backends[ACCOUNT][REGION].reset()
    loop = Loop()
    edge = Edge(clock=ManualClock(START))
    url = f"http://127.0.0.1:{loop.run(edge.start())}"
    httpx.post(f"{url}/moto-api/reset").raise_for_status()
    client = partial(edge_client, edge_url=url)
    provision_resources(REPOSITORY / ".chalice" / "resources.json", client)
    api = Api(mock_api(client("apigateway")), "test", url)
    provision_usage_plans(REPOSITORY / "chalicelib" / "plans.toml", api, client)
    yield url
    loop.run(edge.stop())
    loop.close()


@pytest.fixture(scope="module")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AdminChain]:
    """A node without a registry."""
    log = tmp_path_factory.mktemp("node") / "node.log"
    with asyncio.Runner() as runner:
        node = runner.run(start_node(CONTRACTS, log, mining=Mining.AUTOMATIC))
        try:
            yield AdminChain(node, runner, runner.run(node.genesis_hash()))
        finally:
            runner.run(node.stop())


@pytest.fixture
def registry(chain: AdminChain, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> str:
    """A new registry, for the stack's signer, which the commands' environment names from now on."""
    signer = admin("provision", "--tenant", "acme:pro", "--json").document["signer"]
    address = chain.deploy(signer)
    # So that what the deployment did is as deep as a command wants it.
    chain.mine(FINAL_DEPTH)
    for variable, value in chain.environment(address).items():
        monkeypatch.setenv(variable, value)
    return address


@pytest.fixture
def world(edge_url: str, admin: Admin, chain: AdminChain, registry: str) -> World:
    """The service on the stack's own ports, as a function would have them."""
    endpoint = {"AWS_ENDPOINT_URL": edge_url, "JOBS_CLOCK_URL": f"{edge_url}/_aws/clock"}
    adapters = Administration.of_environment({**endpoint, **chain.environment(registry)}).adapters
    clock: Any = adapters.clock
    return World(
        jobs=adapters.jobs,
        payloads=adapters.payloads,
        queue=adapters.queue,
        transactions=adapters.transactions,
        chain=adapters.chain,
        signers=adapters.signers,
        clock=clock,
        ids=adapters.ids,
        tenant=admin("tenant", "add", "acme", "--plan", "pro", "--json").document["tenant_id"],
        genesis_hash=chain.genesis_hash,
        registry=registry,
    )


@pytest.fixture
def admin(
    edge_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Admin]:
    """Runs a command with the stack's environment."""
    environment = {"AWS_ENDPOINT_URL": edge_url, "JOBS_CLOCK_URL": f"{edge_url}/_aws/clock"}
    for name, value in (CREDENTIALS | environment).items():
        monkeypatch.setenv(name, value)

    def ran(*arguments: str) -> Ran:
        with pytest.raises(SystemExit) as ended:
            run(arguments)
        printed = capsys.readouterr()
        return Ran(ended.value.code, printed.out, printed.err)

    return ran


@pytest.fixture
def name() -> str:
    """The name of a tenant that no other test has."""
    return f"tenant-{next(_names)}"


@pytest.fixture
def client_id(admin: Admin, name: str) -> str:
    """A client of the tenant `name`, which is added too."""
    admin("tenant", "add", name, "--plan", "pro")
    found: str = admin("client", "add", "--tenant", name, "--json").document["client_id"]
    return found


@pytest.fixture
def billing(edge_url: str, admin: Admin, name: str) -> Billing:
    """A tenant of its own, on the plan pro."""
    adapters = Administration.of_endpoint(edge_url, clock_url=f"{edge_url}/_aws/clock").adapters
    tenant_id = admin("tenant", "add", name, "--plan", "pro", "--json").document["tenant_id"]
    return Billing(adapters, edge_url, name, tenant_id)
