"""A stack's services in this process, without functions and chain, and commands that run on them."""

from collections.abc import Iterator
from functools import partial
from itertools import count

import httpx
import pytest
from moto.apigateway.models import apigateway_backends

from chalicelib.admin.__main__ import run
from emulation.clock import ManualClock
from emulation.edge import Edge
from emulation.environment import CREDENTIALS, edge_client
from emulation.gateway.api import ACCOUNT, REGION
from emulation.provision import Api, provision_resources, provision_usage_plans
from tests.admin.commands import Admin, Ran
from tests.emulation.test_usage_restart import mock_api
from tests.gateway.conftest import START, Loop
from tests.stack_process import REPOSITORY

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
