"""What a caller may be told of its own limits, as `$context.rateLimit.…`.

The real service tells a client nothing, and nor does this one unless an API asks: in a gateway response
(`gatewayresponse.header.Retry-After: context.rateLimit.retryAfter`) or with the extension in `extensions`.
The texts are those of the RateLimit fields draft (draft-ietf-httpapi-ratelimit-headers-10), which are
structured fields:

- `policy`: `"burst";q=100;w=2, "quota";q=1000;w=86400`, for RateLimit-Policy
- `limits`: `"burst";r=99;t=1, "quota";r=999;t=68400`, for RateLimit; `t` says when a bucket has one more and
  when a quota starts anew. A refused caller is told the exhausted ones alone, so that no `t` is beyond its
  Retry-After.
- `retryAfter`: whole seconds, rounded up, until a request would pass; empty if it passed, or never would.

The limits of stage and account are shared with others and say nothing about this caller, so they are not
told; `retryAfter` covers them.
"""

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from emulation.clock import Clock
from emulation.gateway import quota as quotas
from emulation.gateway.exchange import Caller
from emulation.gateway.token_bucket import Limit, seconds_until
from emulation.gateway.usage import Admission, BucketName, Ledger, Verdict


class _Standing(NamedTuple):
    """One policy, and where the caller stands under it; seconds may be infinite."""

    name: str
    quota: int
    window_seconds: float
    remaining: int
    reset_seconds: float

    @property
    def policy(self) -> str:
        return f'"{self.name}";q={self.quota}{_parameter("w", self.window_seconds)}'

    @property
    def limit(self) -> str:
        return f'"{self.name}";r={self.remaining}{_parameter("t", self.reset_seconds)}'


def told(
    ledger: Ledger, caller: Caller, method: tuple[str, str, str], verdict: Verdict, clock: Clock
) -> Mapping[str, str]:
    """The values when they are asked for, which an integration may have taken its time before.

    `method` is (API, stage, `/path/VERB`), of which the plan may have a throttle.
    """
    standings = list(_standings(ledger, caller, method, clock.now()))
    refused = verdict.admission is not Admission.ADMITTED
    relevant = [each for each in standings if not refused or each.remaining == 0]
    passes = refused and math.isfinite(verdict.retry_after_seconds)
    return {
        "policy": ", ".join(each.policy for each in standings),
        "limits": ", ".join(each.limit for each in relevant),
        "retryAfter": str(max(1, math.ceil(verdict.retry_after_seconds))) if passes else "",
    }


def _standings(
    ledger: Ledger, caller: Caller, method: tuple[str, str, str], now: float
) -> Iterator[_Standing]:
    plan, key = caller.plan, caller.key
    if plan is None or key is None:
        return
    if limit := plan.method_limits.get(method[:2], {}).get(method[2]):
        yield _bucket(ledger, "method", BucketName("method", plan.plan_id, key.key_id, *method), limit, now)
    if plan.limit is not None:
        yield _bucket(ledger, "burst", BucketName("plan", plan.plan_id, key.key_id), plan.limit, now)
    if plan.quota is not None:
        consumption = ledger.counters.consumption(plan.plan_id, key.key_id, plan.quota, now)
        yield _Standing(
            "quota",
            plan.quota.limit,
            quotas.window_seconds(plan.quota, consumption.day),
            consumption.remaining,
            quotas.seconds_until_reset(plan.quota, now),
        )


def _bucket(ledger: Ledger, name: str, bucket_name: BucketName, limit: Limit, now: float) -> _Standing:
    bucket = ledger.bucket(bucket_name, limit, now)
    more = min(limit.burst, bucket.remaining + 1)
    return _Standing(
        name,
        limit.burst,
        limit.burst / limit.rate if limit.rate else math.inf,
        bucket.remaining,
        seconds_until(bucket, limit, more, now=now) if limit.burst else math.inf,
    )


def _parameter(name: str, seconds: float) -> str:
    return f";{name}={math.ceil(seconds)}" if math.isfinite(seconds) else ""
