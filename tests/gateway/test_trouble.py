"""Edits in flight, many keys, clients that go away: nothing over-admitted, nothing leaked, no 500."""

import gc
import socket
import threading
import tracemalloc
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from emulation.gateway.exchange import Caller
from emulation.gateway.token_bucket import Limit
from emulation.gateway.usage import Admission, BucketName, Ledger
from tests.gateway import apis
from tests.gateway.conftest import Stack
from tests.waiting import until

KEY = "k" * 24
HEADER = {"x-api-key": KEY}
TODAY = {"startDate": "2026-11-23", "endDate": "2026-11-23"}


def _replace(path: str, value: str) -> Any:
    return [{"op": "replace", "path": path, "value": value}]


def _mock_operation(**settings: Any) -> dict[str, Any]:
    """An operation that the gateway answers by itself."""
    integration = {
        "type": "mock",
        "requestTemplates": {"application/json": '{"statusCode": 200}'},
        "responses": {"default": {"statusCode": "200"}},
    }
    return {
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": integration,
        **settings,
    }


@pytest.fixture
def api(stack: Stack) -> apis.Api:
    operation = _mock_operation(security=apis.KEY_REQUIRED)
    return apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))


def _from_threads(threads: int, each: Callable[[httpx.Client], list[int]], api: apis.Api) -> Counter[int]:
    """The statuses that as many clients get, each in its own thread, all let go at once."""
    together = threading.Barrier(threads)

    def work(_: int) -> list[int]:
        base_url = f"{api.stack.url}/_aws/execute-api/{api.api_id}/{api.stage}"
        with httpx.Client(base_url=base_url, timeout=30, verify=False, trust_env=False) as client:
            together.wait()
            return each(client)

    with ThreadPoolExecutor(threads) as pool:
        return Counter(status for statuses in pool.map(work, range(threads)) for status in statuses)


@pytest.mark.parametrize("threads", [1, 64])
def test_a_quota_admits_exactly_its_limit_when_one_or_64_threads_send(api: apis.Api, threads: int) -> None:
    plan = api.plan(quota={"limit": 100, "period": "DAY"})
    key = apis.key_in(api.stack, plan)
    requests = 192 // threads
    seen = _from_threads(
        threads, lambda client: [client.get("/a", headers=HEADER).status_code for _ in range(requests)], api
    )
    assert seen == {200: 100, 429: 92}
    assert api.stack.apigateway.get_usage(usagePlanId=plan, **TODAY)["items"] == {key: [[100, 0]]}


def test_what_is_admitted_is_what_is_counted_when_limits_are_edited_in_flight(api: apis.Api) -> None:
    plan = api.plan(throttle={"rateLimit": 1, "burstLimit": 40}, quota={"limit": 40, "period": "MONTH"})
    key = apis.key_in(api.stack, plan)
    sending = threading.Event()

    lower = {"/quota/limit": "30", "/quota/period": "DAY", "/throttle/burstLimit": "35"}
    back = {"/quota/limit": "40", "/quota/period": "MONTH", "/throttle/burstLimit": "40"}

    def edit() -> int:
        edits = 0
        while not sending.is_set():
            for path, value in (*lower.items(), *back.items()):
                api.stack.apigateway.update_usage_plan(
                    usagePlanId=plan, patchOperations=_replace(path, value)
                )
                edits += 1
        return edits

    with ThreadPoolExecutor(1) as editor:
        edits = editor.submit(edit)
        seen = _from_threads(
            8, lambda client: [client.get("/a", headers=HEADER).status_code for _ in range(50)], api
        )
        sending.set()
        assert edits.result() > 0
    assert set(seen) == {200, 429}
    assert seen[200] <= 40
    (pair,) = api.stack.apigateway.get_usage(usagePlanId=plan, **TODAY)["items"][key]
    assert pair == [seen[200], 40 - seen[200]]


def _authorized(stack: Stack) -> apis.Api:
    """One operation behind an authorizer, which names the key."""
    schemes = {"api_key": apis.API_KEY_SCHEME, "token": apis.authorizer_scheme()}
    operation = _mock_operation(security=[{"token": [], "api_key": []}])
    source = {"x-amazon-apigateway-api-key-source": "AUTHORIZER"}
    document = apis.document({"/a": {"get": operation}}, components={"securitySchemes": schemes}, **source)
    return apis.imported(stack, document)


@pytest.mark.parametrize(
    ("operation", "settings", "status"),
    [
        ("delete_api_key", {"apiKey": "KEY"}, 403),
        ("delete_usage_plan_key", {"usagePlanId": "PLAN", "keyId": "KEY"}, 403),
        ("update_api_key", {"apiKey": "KEY", "patchOperations": _replace("/enabled", "false")}, 403),
        ("update_usage_plan", {"usagePlanId": "PLAN", "patchOperations": _replace("/quota/limit", "0")}, 429),
    ],
    ids=["key deleted", "key detached", "key disabled", "quota lowered"],
)
def test_a_change_that_was_answered_holds_for_a_request_that_its_authorizer_still_keeps(
    stack: Stack, operation: str, settings: dict[str, Any], status: int
) -> None:
    api = _authorized(stack)
    plan = api.plan(quota={"limit": 5, "period": "DAY"})
    key = apis.key_in(stack, plan)
    made = {"KEY": key, "PLAN": plan}
    asked = {name: made.get(str(value), value) for name, value in settings.items()}

    def authorize(event: dict[str, Any]) -> object:
        getattr(stack.apigateway, operation)(**asked)
        return apis.allow(usageIdentifierKey=KEY)

    stack.functions["authorize"] = authorize
    assert api.get("/a", headers={"Authorization": "t"}).status_code == status
    usage = stack.apigateway.get_usage(usagePlanId=plan, **TODAY)["items"]
    assert all(used == 0 for pairs in usage.values() for used, _ in pairs)


@pytest.mark.deep
def test_every_key_has_its_own_limits_when_there_are_1000_in_50_plans(api: apis.Api) -> None:
    plans = [
        api.plan(
            name=f"plan {number}",
            throttle={"rateLimit": 1, "burstLimit": 2},
            quota={"limit": 9, "period": "DAY"},
        )
        for number in range(50)
    ]
    values = [f"{number:030d}" for number in range(1000)]
    for number, value in enumerate(values):
        apis.key_in(api.stack, plans[number % 50], value=value)
    seen = Counter(
        (turn, api.get("/a", headers={"x-api-key": value}).status_code)
        for turn in range(3)
        for value in values
    )
    assert seen == {(0, 200): 1000, (1, 200): 1000, (2, 429): 1000}
    for plan in plans:
        usage = api.stack.apigateway.get_usage(usagePlanId=plan, limit=500, **TODAY)["items"]
        assert list(usage.values()) == [[[2, 7]]] * 20


def _raw(api: apis.Api, sent: bytes) -> socket.socket:
    address = urlsplit(api.stack.url)
    client = socket.create_connection((address.hostname or "", address.port or 0))
    client.sendall(sent)
    return client


def test_nothing_is_counted_or_kept_when_clients_go_away_before_their_request_is_whole(api: apis.Api) -> None:
    plan = api.plan(quota={"limit": 5, "period": "DAY"})
    apis.key_in(api.stack, plan)
    target = f"/_aws/execute-api/{api.api_id}/{api.stage}/a"
    head = f"GET {target} HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\n"
    cut_short = [head[:20], head, head + "Content-Length: 9\r\n\r\n", head + "Content-Length: 9\r\n\r\nhalf"]
    clients = [_raw(api, text.encode()) for text in cut_short * 25]
    assert api.get("/a", headers=HEADER).status_code == 200  # while they all wait
    for client in clients:
        client.close()
    until(lambda: api.stack.edge.in_flight == 0, within_seconds=10)
    assert [*api.stack.apigateway.get_usage(usagePlanId=plan, **TODAY)["items"].values()] == [[[1, 4]]]


def test_a_request_whose_client_went_away_is_counted_once_and_leaves_nothing_behind(stack: Stack) -> None:
    begun, ended = threading.Semaphore(0), threading.Event()

    def slow(event: dict[str, Any]) -> object:
        begun.release()
        ended.wait()
        return {"statusCode": 200}

    stack.functions["hello"] = slow
    operation = apis.operation(security=apis.KEY_REQUIRED)
    api = apis.imported(stack, apis.document({"/a": {"get": operation}}, **apis.KEYED))
    plan = api.plan(quota={"limit": 50, "period": "DAY"})
    apis.key_in(stack, plan)
    request = f"GET /_aws/execute-api/{api.api_id}/test/a HTTP/1.1\r\nHost: x\r\nx-api-key: {KEY}\r\n\r\n"
    clients = [_raw(api, request.encode()) for _ in range(4)]
    for client in clients:
        begun.acquire()
        client.close()
    ended.set()
    until(lambda: stack.edge.in_flight == 0, within_seconds=10)
    assert [*stack.apigateway.get_usage(usagePlanId=plan, **TODAY)["items"].values()] == [[[4, 46]]]


@pytest.mark.deep
def test_memory_stays_flat_when_requests_go_on(api: apis.Api) -> None:
    throttle, quota = {"rateLimit": 1, "burstLimit": 900}, {"limit": 10**6, "period": "DAY"}
    apis.key_in(api.stack, api.plan(throttle=throttle, quota=quota))

    def held_after(requests: int) -> int:
        for number in range(requests):
            path = f"/a?q={number}" if number % 3 else f"/nowhere/{number}"
            api.get(path, headers=HEADER)
        api.stack.clear_log()
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        held_after(300)  # whatever is made once is made
        before = held_after(100)
        assert held_after(1500) - before < 50_000  # 33 bytes a request
    finally:
        tracemalloc.stop()


def test_buckets_that_are_full_again_take_no_memory_when_keys_come_and_go() -> None:
    ledger, limit = Ledger(), Limit(rate=10.0, burst=5)
    tracemalloc.start()
    try:
        for number in range(30_000):  # a hundred keys a second, each seen once
            name = BucketName("plan", "p", str(number))
            verdict = ledger.admit([(name, limit)], Caller(), number / 100)
            assert verdict.admission is Admission.ADMITTED
        assert tracemalloc.get_traced_memory()[0] < 4_000_000  # all 30,000 of them take 13 MB
    finally:
        tracemalloc.stop()
