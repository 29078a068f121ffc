"""The whole API in one process: openapi.yml on the gateway, the app's own functions, and memory behind them.

Every answer that a test gets is checked against openapi.yml, so that nothing undocumented passes unseen.
"""

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import yaml

import app as functions
from chalicelib.adapters.memory_chain import GENESIS_HASH
from chalicelib.container import Adapters, Container
from chalicelib.domain import client_secret
from chalicelib.domain.access_token import SCOPES
from chalicelib.domain.client import Client, new_secret
from chalicelib.domain.entitlements import Tenant
from chalicelib.domain.job import JobRef
from chalicelib.domain.metering_key import Use, metering_key
from chalicelib.settings import Settings
from emulation.provision import Api as Deployed
from emulation.provision import provision_api
from emulation.worker import LambdaContext
from tests.api.contract import Contract
from tests.api.memory_adapters import REGISTRY, MemoryAdapters, StackClock
from tests.gateway.conftest import SESSION, START, Loop, SettableClock, Stack, running_stack
from tests.gateway.conftest import loop as loop

OPENAPI = Path(__file__).parents[2] / "openapi.yml"
SPECIFICATION: Mapping[str, Any] = yaml.safe_load(OPENAPI.read_text())
SECRET = client_secret.seal("t" * client_secret.RANDOM_CHARACTERS)
ACME, GLOBEX = "ten_0000000000000000000000ACME", "ten_00000000000000000000GLOBEX"
# One has no key in the gateway, one a bucket that is always empty, one a quota that is used up.
KEYLESS, THROTTLED, SPENT = (
    "ten_0000000000000000000KEYLESS",
    "ten_00000000000000000THROTTLED",
    "ten_000000000000000000000SPENT",
)
# Of the service's smallest plan.
FREE = "ten_00000000000000000000000FREE"
AMPLE = {"throttle": {"rateLimit": 1000.0, "burstLimit": 5000}, "quota": {"limit": 100_000, "period": "DAY"}}
METERED: Mapping[str, Mapping[str, Any]] = {
    **dict.fromkeys((ACME, GLOBEX, FREE), AMPLE),
    THROTTLED: {"throttle": {"rateLimit": 1.0, "burstLimit": 1}},
    SPENT: {"quota": {"limit": 1, "period": "DAY"}},
}
TENANTS = (*METERED, KEYLESS)
# As long as a function has by its configuration.
INVOCATION_SECONDS = 60.0
# Between two tests, so that each finds its buckets full.
REFILL_SECONDS = 10.0


class Api:
    """The API of one test: what runs it, and clients of its tenants."""

    def __init__(
        self, stack: Stack, deployed: Deployed, contract: Contract, adapters: MemoryAdapters
    ) -> None:
        self.stack = stack
        self.deployed = deployed
        self.base_url = deployed.base_url
        self.contract = contract
        self.adapters = adapters
        self.container = Container(cast(Adapters, adapters))
        self.http = httpx.Client(
            base_url=deployed.base_url, timeout=30, trust_env=False, event_hooks={"response": [self._check]}
        )

    def token(self, tenant: str = ACME, *, scope: str | None = None) -> str:
        """An access token of the tenant, from the token endpoint."""
        form = {"grant_type": "client_credentials", **({"scope": scope} if scope is not None else {})}
        answer = self.http.post("/v1/oauth/token", data=form, auth=self.credentials(tenant))
        return str(answer.json()["access_token"])

    def bearer(self, tenant: str = ACME, *, scope: str | None = None) -> dict[str, str]:
        """The header that carries such a token."""
        return {"Authorization": f"Bearer {self.token(tenant, scope=scope)}"}

    def credentials(self, tenant: str = ACME) -> tuple[str, str]:
        """The id and the secret of the tenant's client."""
        return client_id(tenant), SECRET

    def submit(
        self, key: str = "k1", *, tenant: str = ACME, rounds: int = 3, **members: object
    ) -> httpx.Response:
        """A job's submit, with more members of the body."""
        job_input = {"seed": "0x" + "00" * 32, "rounds": rounds}
        body = {"type": "sha256.chain", "input": job_input, **members}
        headers = {**self.bearer(tenant), "Idempotency-Key": key}
        return self.http.post("/v1/jobs", json=body, headers=headers)

    def announce(self, body: bytes, **changes: object) -> httpx.Response:
        """An upload, to be sent."""
        document = {"size_bytes": len(body), "sha256": hashlib.sha256(body).hexdigest(), **changes}
        return self.http.post("/v1/uploads", json=document, headers=self.bearer())

    def upload(self, body: bytes) -> str:
        """The id of an upload that has been sent to where the API said."""
        upload, now = self.announce(body).json(), self.adapters.clock.now()
        assert self.adapters.uploads.send(upload["url"], upload["signed_headers"], body, now=now)
        return str(upload["id"])

    def run(self, job_id: str, *, tenant: str = ACME) -> None:
        """A worker runs what is ready until the job has had its turn: it is `confirming` then, or failed."""
        ref = JobRef(tenant, job_id)
        while self.container.get_job(ref).is_ready:
            self.container.run_job(ref, seconds=INVOCATION_SECONDS)

    def cancel(self, job_id: str, *, tenant: str = ACME) -> httpx.Response:
        """The cancel of a job."""
        return self.http.post(f"/v1/jobs/{job_id}/cancel", headers=self.bearer(tenant))

    def _check(self, response: httpx.Response) -> None:
        response.read()
        path = response.request.url.path.partition(f"/{self.deployed.id}/{self.deployed.stage}")[2]
        self.contract.check(response.request.method, path, response)


def client_id(tenant: str) -> str:
    """The id of the tenant's one client."""
    return f"cli_{hashlib.sha256(tenant.encode()).hexdigest()[:26].upper()}"


@dataclass(frozen=True, slots=True)
class Gateway:
    """The API as it is deployed, which the tests of a module share; what is behind it is each test's own."""

    stack: Stack
    deployed: Deployed
    contract: Contract


@contextmanager
def deployed_gateway(loop: Loop, openapi: Path, specification: Mapping[str, Any]) -> Iterator[Gateway]:
    """The API of a document on an edge of its own, with every tenant's keys and limits."""
    with running_stack(loop, SettableClock(START)) as stack:
        deployed = provision_api(openapi, stack.url, _client(stack.url))
        for tenant, limits in METERED.items():
            _meter(stack, deployed, tenant, limits)
        yield Gateway(stack, deployed, Contract(specification))


@pytest.fixture(scope="module")
def gateway(loop: Loop) -> Iterator[Gateway]:
    with deployed_gateway(loop, OPENAPI, SPECIFICATION) as deployed:
        yield deployed


@pytest.fixture
def api(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    stack, deployed = gateway.stack, gateway.deployed
    stack.clock.advance(REFILL_SECONDS)
    made = Api(stack, deployed, gateway.contract, _adapters(stack, deployed))
    monkeypatch.setattr(functions, "wired", lambda: made.container)
    # Chalice keeps the current request in the app, so one request at a time.
    turn = threading.Lock()
    stack.functions["api_handler"] = lambda event: _invoke(functions.app, event, turn)
    stack.functions["authorize"] = lambda event: _invoke(functions.authorize, event, turn)
    yield made
    made.http.close()


def _client(url: str) -> Any:
    return lambda service: SESSION.client(service, endpoint_url=url)


def _invoke(function: Any, event: dict[str, Any], turn: threading.Lock) -> object:
    with turn:
        return function(event, LambdaContext(function_name="test", aws_request_id="test", deadline=0.0))


def _meter(stack: Stack, deployed: Deployed, tenant: str, limits: Mapping[str, Any]) -> None:
    stages = [{"apiId": deployed.id, "stage": deployed.stage}]
    for use in Use:
        plan = stack.apigateway.create_usage_plan(name=f"{tenant}-{use}", apiStages=stages, **limits)
        value = metering_key(tenant, use)
        key = stack.apigateway.create_api_key(name=value, value=value, enabled=True)
        stack.apigateway.create_usage_plan_key(usagePlanId=plan["id"], keyId=key["id"], keyType="API_KEY")


def _adapters(stack: Stack, deployed: Deployed) -> MemoryAdapters:
    settings = Settings(
        aws_endpoint=stack.url,
        base_url=deployed.base_url,
        rpc_url="http://127.0.0.1:1",
        chain_id=31337,
        registry=REGISTRY,
        genesis_hash=GENESIS_HASH,
        clock_url=None,
    )
    clock = StackClock(stack.clock)
    made_at = clock.now()
    tenants = [Tenant(tenant_id=each, name=each, plan="free" if each == FREE else "pro") for each in TENANTS]
    clients = [
        Client(
            client_id=client_id(each),
            tenant_id=each,
            scopes=SCOPES,
            created_at=made_at,
            secrets=(new_secret(SECRET, now=made_at),),
        )
        for each in TENANTS
    ]
    return MemoryAdapters(settings, clock, tenants=tenants, clients=clients)
