"""No function opens a connection because of what a client sent: not by any string of any operation."""

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import cycle
from typing import Any

import pytest

from chalicelib.adapters.evm import EvmChain
from chalicelib.domain.access_token import SCOPES
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.domain.job import JobRef, Status
from chalicelib.web import operations
from chalicelib.web.operations import OPERATIONS
from tests.api.calls import Call as Example
from tests.api.calls import calls
from tests.api.conftest import SPECIFICATION
from tests.api.contract import Contract
from tests.policies.conftest import forget
from tests.policies.functions import SETTINGS, Functions
from tests.policies.gateway import API, Call, event_of
from tests.policies.seed import TENANT, seed

# Where a server that fetches is led: a cloud's credentials, this machine, a stranger, a file, a share.
URLS = (
    "http://169.254.169.254/latest/meta-data/iam/security-credentials/",
    "http://127.0.0.1:1/v1/health",
    "https://attacker.test/callback",
    "file:///etc/passwd",
    "//attacker.test/share",
)
CALLER = {"tenant_id": TENANT.tenant_id, "client_id": f"cli_{'0' * 26}", "scope": " ".join(SCOPES)}
HEADERS = ("Authorization", "DPoP", "Idempotency-Key", "Prefer", "If-None-Match", "traceparent", "Referer")
HEADERS += ("Host", "X-Forwarded-Host", "Forwarded", "X-Original-URL", "Destination")
# Fields that other servers follow.
FIELDS = ("redirect_uri", "jwks_uri", "request_uri")
EXAMPLES = tuple(calls(Contract(SPECIFICATION)))


@dataclass
class Guard:
    """Every place that somebody tried to reach; nobody reaches one."""

    tried: list[object] = field(default_factory=list)

    def connect(self, _socket: object, address: object) -> None:
        """In the place of `socket.connect`."""
        self.tried.append(address)
        raise ConnectionRefusedError(str(address))

    def resolve(self, host: object, *_: object, **__: object) -> list[Any]:
        """In the place of `getaddrinfo`: a name that is asked for is a connection in itself."""
        self.tried.append(host)
        raise socket.gaierror(str(host))


@pytest.fixture
def guard(monkeypatch: pytest.MonkeyPatch) -> Guard:
    guard = Guard()
    monkeypatch.setattr(socket.socket, "connect", guard.connect)
    monkeypatch.setattr(socket.socket, "connect_ex", guard.connect)
    monkeypatch.setattr(socket, "getaddrinfo", guard.resolve)
    return guard


@pytest.fixture(scope="module")
def functions() -> Iterator[Functions]:
    """On their real adapters, whose calls to AWS are answered in this process, without a socket."""
    forget()
    with pytest.MonkeyPatch.context() as patch:
        functions = Functions(patch)
        seed(functions)
        functions.fire("rotate_keys")
        yield functions
    forget()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda each: each.operation_id)
def test_nothing_is_connected_to_when_any_string_of_a_request_is_a_url(
    functions: Functions, guard: Guard, example: Example
) -> None:
    answered = [functions.invoke("api_handler", event) for event in _events(example)]
    assert guard.tried == []
    assert len(answered) > len(URLS)
    assert all(each["statusCode"] < 500 for each in answered)


@pytest.mark.parametrize("url", URLS)
def test_nothing_is_connected_to_when_a_job_is_run_on_urls(
    functions: Functions, guard: Guard, url: str
) -> None:
    document = {"type": "merkle.root", "input": {"leaf_encoding": ["string"], "leaves": [[url]]}}
    call = Call(operation=operations.SUBMIT_JOB, headers={"Idempotency-Key": f"a {url}"}, json=document)
    answered = functions.invoke("api_handler", event_of(call, CALLER))
    assert answered["statusCode"] == 202
    ref = JobRef(TENANT.tenant_id, json.loads(answered["body"])["id"])
    while functions.adapters.jobs.get(ref).status is Status.QUEUED:  # older jobs have their turn first
        functions.wake("run_job", ref)
    assert functions.adapters.jobs.get(ref).status is Status.CONFIRMING
    assert guard.tried == []


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("member", ["kid", "jku", "x5u", "iss", "jwk"])
def test_nothing_is_connected_to_when_a_token_names_where_its_key_is(
    functions: Functions, guard: Guard, member: str, url: str
) -> None:
    """RFC 7515 §4.1.2 has a header for it; who followed it would take a stranger's key."""
    value: Any = {"kty": "EC", "url": url} if member == "jwk" else url
    head = {"alg": "ES256", "typ": "at+jwt", member: value}
    token = ".".join((_part(head), _part({"iss": url, "aud": url}), _part("x")))
    event = {"type": "TOKEN", "authorizationToken": f"Bearer {token}", "methodArn": f"{API}/GET/v1/jobs"}
    decided = functions.invoke("authorize", event)
    assert decided["policyDocument"]["Statement"][0]["Effect"] == "Deny"
    for form in ({"token": token}, {"client_assertion": token}):
        call = Call(operation=operations.REVOKE_TOKEN, headers={"DPoP": token}, form=form)
        functions.invoke("api_handler", event_of(call, {}))
    assert guard.tried == []


def test_a_connection_is_heard_when_one_is_tried(guard: Guard) -> None:
    """The guard can fail: beside AWS, the one connection that a function opens is the node's."""
    chain = EvmChain(
        SETTINGS.rpc_url,
        chain_id=SETTINGS.chain_id,
        genesis_hash=SETTINGS.genesis_hash,
        registry=SETTINGS.registry,
    )
    with pytest.raises(ChainUnavailable):
        chain.compact_hash(1)
    assert guard.tried == ["127.0.0.1"]


def _events(example: Example) -> Iterator[dict[str, Any]]:
    """The example's request, with a URL in one place after the other, and in every header at once."""
    operation = OPERATIONS[example.operation_id]
    is_form = example.media_type == "application/x-www-form-urlencoded"
    good = Call(
        operation=operation,
        authorization="Basic eDp4",
        path={"job_id": f"job_{'0' * 26}", "code": "timeout", "period": "2026-11"},
        headers={"Idempotency-Key": "k"},
        json=None if is_form else example.body,
        form=example.body if is_form else None,
    )
    urls = cycle(URLS)
    changed = [
        *(replace(good, headers=dict.fromkeys(HEADERS, url)) for url in URLS),
        *(replace(good, path={**(good.path or {}), name: next(urls)}) for name in good.path or {}),
        *(replace(good, query={name: next(urls)}) for name in (*(operation.query or ()), "redirect_uri")),
        *(replace(good, json=body) for body in _with(good.json, urls)),
        *(replace(good, form=form) for form in _with(good.form, urls)),
        *(replace(good, form={**good.form, name: next(urls)}) for name in FIELDS if good.form),
    ]
    return (event_of(each, CALLER if operation.scope else {}) for each in changed)


def _with(value: Any, urls: Iterator[str]) -> Iterator[Any]:
    """The document with a URL in the place of each of its strings, one after the other."""
    if isinstance(value, str):
        yield next(urls)
    elif isinstance(value, Mapping):
        yield from ({**value, name: each} for name in value for each in _with(value[name], urls))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            yield from ([*value[:number], each, *value[number + 1 :]] for each in _with(member, urls))


def _part(content: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()
