"""The admission decision alone: whose key, which layers, buckets and quota, in microseconds a request.

    python -m benchmarks.bench_admission

As the data plane calls it, from a matched request on: once with what a usage plan usually has (its throttle,
a quota, and the account's throttle behind it), once with every layer there can be (the method's in the plan
and the stage's too). Then one bucket alone, beside the windows of the `limits` package in memory, which
answer the same question of one limit.
"""

from collections.abc import Callable, Mapping
from statistics import median
from time import perf_counter, time

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter, MovingWindowRateLimiter

from emulation.gateway import usage
from emulation.gateway.api import (
    ApiKey,
    Authorization,
    Deployment,
    Integration,
    IntegrationKind,
    KeySource,
    Method,
    Stage,
    UsagePlan,
    View,
)
from emulation.gateway.exchange import Exchange
from emulation.gateway.pipeline import presented
from emulation.gateway.quota import Period, Quota
from emulation.gateway.routing import Route, RoutingTable
from emulation.gateway.token_bucket import Bucket, Limit, take
from emulation.gateway.usage import Admission, Ledger
from emulation.gateway.view_compiler import ACCOUNT_LIMIT
from emulation.http import Request

KEYS = 1_000
"""So that no two requests in a row have warmed the same counters."""
REPEATS = 9
REQUESTS = 20_000
UNREACHED = Limit(rate=2e9, burst=2_000_000_000)


def main() -> None:
    for name, limits in (("plan, account, quota", {}), ("every layer, quota", {"*/*": UNREACHED})):
        print(f"{'admission, ' + name + ':':<34}{_microseconds(_decision(limits)):.1f} us")
    for name, operation in (
        ("bucket", _bucket()),
        ("limits: moving window", _limits(MovingWindowRateLimiter)),
        ("limits: fixed window", _limits(FixedWindowRateLimiter)),
    ):
        print(f"{name + ', in memory:':<34}{_microseconds(operation):.1f} us")


def _decision(limits: Mapping[str, Limit]) -> Callable[[int], None]:
    """The decision for a request of one key after the other, with `limits` on the stage and its method."""
    method, stage, view = _deployed(limits)
    exchanges = [_exchange(method, stage, value) for value in view.keys]
    ledger = Ledger()

    def decide(number: int) -> None:
        caller = presented(exchanges[number % KEYS], view)
        assert caller.is_admissible
        layers = usage.layers_in(view, stage, method, caller, UNREACHED)
        assert ledger.admit(layers, caller, 1_795_410_000.0 + number / 1000).admission is Admission.ADMITTED

    return decide


def _microseconds(operation: Callable[[int], None]) -> float:
    """The median over the repeats of what one call takes on average."""
    rounds = []
    for repeat in range(REPEATS):
        began = perf_counter()
        for number in range(repeat * REQUESTS, (repeat + 1) * REQUESTS):
            operation(number)
        rounds.append(1e6 * (perf_counter() - began) / REQUESTS)
    return median(rounds)


def _bucket() -> Callable[[int], None]:
    kept: dict[int, Bucket] = {}

    def ask(number: int) -> None:
        key = number % KEYS
        kept[key], _ = take(kept.get(key), ACCOUNT_LIMIT, cost=1, now=time())

    return ask


def _limits(kind: type[MovingWindowRateLimiter] | type[FixedWindowRateLimiter]) -> Callable[[int], None]:
    limiter, limit = kind(MemoryStorage()), RateLimitItemPerSecond(ACCOUNT_LIMIT.burst)

    def ask(number: int) -> None:
        limiter.hit(limit, str(number % KEYS))

    return ask


def _deployed(limits: Mapping[str, Limit]) -> tuple[Method, Stage, View]:
    method = Method(
        verb="GET",
        resource_id="r",
        resource_path="/hello",
        authorization=Authorization.NONE,
        authorizer=None,
        api_key_required=True,
        required_parameters=(),
        body_validators={},
        integration=Integration(kind=IntegrationKind.MOCK),
    )
    deployment = Deployment(
        api_id="api",
        deployment_id="d",
        key_source=KeySource.HEADER,
        binary_media_types=frozenset(),
        routes=RoutingTable([("/hello", "GET", method)]),
        gateway_responses={},
        added_headers={},
    )
    stage = Stage(name="bench", deployment=deployment, variables={}, limits=limits)
    return method, stage, _view(method, stage)


def _view(method: Method, stage: Stage) -> View:
    keys = [
        ApiKey(key_id=f"id-{number}", name="bench", value=f"key-{number}", enabled=True)
        for number in range(KEYS)
    ]
    api_id = stage.deployment.api_id
    plan = UsagePlan(
        plan_id="plan",
        name="bench",
        limit=UNREACHED,
        quota=Quota(2_000_000_000, Period.MONTH),
        method_limits={(api_id, stage.name): {method.limit_key: UNREACHED} if stage.limits else {}},
        key_ids=tuple(key.key_id for key in keys),
    )
    return View(
        stages={(api_id, stage.name): stage},
        keys={key.value: key for key in keys},
        keys_by_id={key.key_id: key for key in keys},
        plans={plan.plan_id: plan},
        plans_by_key={(key.key_id, api_id, stage.name): plan for key in keys},
    )


def _exchange(method: Method, stage: Stage, key: str) -> Exchange:
    request = Request("GET", "/hello", "", (("host", "x"), ("x-api-key", key)), b"", "127.0.0.1")
    made = Exchange(request=request, request_id="r", now=0.0, stage=stage, path="/hello")
    made.route = Route(method, {})
    return made


if __name__ == "__main__":
    main()
