"""What a usage plan may be, and which plans an API key may be in."""

from collections.abc import Mapping, Sequence
from typing import Any

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, Conflict
from emulation.gateway.quota import OFFSETS, Period

# The service keeps burst and quota limits as 32-bit integers; here it bounds rates too, so that
# arithmetic on any limit is exact.
LARGEST_LIMIT = 2**31 - 1
PLANS_PER_KEY = 10  # the service's quota "usage plans per API key"


def check_plan(
    *, throttle: Mapping[str, Any], quota: Mapping[str, Any], stages: Sequence[Mapping[str, Any]]
) -> None:
    """Raises BadRequest or ValueError unless a plan can be made of it."""
    check_throttle(throttle)
    for throttles in _by_stage(stages).values():
        for each in throttles.values():
            check_throttle(each)
    if quota:
        _check_quota(quota)


def check_throttle(throttle: Mapping[str, Any]) -> None:
    """Raises BadRequest or ValueError unless rate and burst, where they are set, are limits."""
    for name in ("rateLimit", "burstLimit"):
        if throttle.get(name) is not None:
            check_limit(name, throttle[name])


def check_limit(name: str, value: Any) -> None:
    """Raises BadRequest or ValueError unless the value, perhaps in a text, is a limit; NaN is none."""
    if not 0 <= float(value) <= LARGEST_LIMIT:
        raise BadRequest(f"{name} must be a number from 0 to {LARGEST_LIMIT}")


def _check_quota(quota: Mapping[str, Any]) -> None:
    if "limit" not in quota or quota.get("period") not in {period.value for period in Period}:
        raise BadRequest("Usage Plan quota must have a limit and a period of DAY, WEEK or MONTH")
    check_limit("Usage Plan quota limit", quota["limit"])
    offsets = OFFSETS[Period(quota["period"])]
    if int(quota.get("offset") or 0) not in offsets:
        allowed = "zero" if len(offsets) == 1 else f"in the range 0 to {offsets[-1]}"
        raise BadRequest(f"Usage Plan quota offset must be {allowed} for the {quota['period']} period")


def check_key(backend: models.APIGatewayBackend, plan: models.UsagePlan, key_id: str) -> None:
    """Raises Conflict unless the key's other plans leave it room for this one and its stages."""
    others = [
        other
        for other in backend.usage_plans.values()
        if other.id != plan.id and key_id in backend.usage_plan_keys.get(other.id, ())
    ]
    if len(others) >= PLANS_PER_KEY:
        raise Conflict(f"API Key {key_id} is in {PLANS_PER_KEY} usage plans, the most there can be")
    for other in others:
        if shared := _by_stage(plan.api_stages).keys() & _by_stage(other.api_stages).keys():
            named = ", ".join(f"{api_id}:{stage}" for api_id, stage in sorted(shared))
            raise Conflict(f"API Key {key_id} is in usage plan {other.id} of {named} already")


def _by_stage(stages: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], Mapping[str, Any]]:
    """The throttles of single methods, by API and stage."""
    named = [(each.get("apiId"), each.get("stage")) for each in stages]
    if not all(api_id and stage for api_id, stage in named) or len(set(named)) < len(named):
        raise BadRequest("Invalid API Stage specified")
    return {(each["apiId"], each["stage"]): each.get("throttle") or {} for each in stages}
