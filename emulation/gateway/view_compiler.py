"""Compiles what holds at this moment from moto's API Gateway models: stages, keys and usage plans.

The control plane calls it while it holds its lock, after a change; deployments are compiled before, by
`compiler`.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.api import ApiKey, Deployment, Stage, UsagePlan, View
from emulation.gateway.quota import Period, Quota
from emulation.gateway.stage_settings import limit_key
from emulation.gateway.templates import LineFormat, line_format
from emulation.gateway.token_bucket import Limit

# A plan whose rate or burst is 0 admits nothing, like a stage's 0/0: nobody we found knows better.
PLAN_LIMIT_OF_ZERO = Limit(rate=0.0, burst=0)
# The service's own for a new account in a large region. A throttle of which only one half is set leaves the
# other to it.
ACCOUNT_RATE_LIMIT = 10_000.0
ACCOUNT_BURST_LIMIT = 5_000
ACCOUNT_LIMIT = Limit(ACCOUNT_RATE_LIMIT, ACCOUNT_BURST_LIMIT)


def compile_view(
    backend: models.APIGatewayBackend, deployments: Mapping[tuple[str, str], Deployment]
) -> View:
    """What holds now. A stage whose deployment is not among `deployments` is not served."""
    plans = {
        plan.id: _plan(plan, backend.usage_plan_keys.get(plan.id, {}))
        for plan in backend.usage_plans.values()
    }
    stages = {
        (api.id, name): Stage(
            name=name,
            deployment=deployment,
            variables=dict(stage.variables),
            limits=_limits(stage.method_settings),
            access_log_format=_log_format(stage.access_log_settings or {}),
        )
        for api in backend.apis.values()
        for name, stage in api.stages.items()
        if (deployment := deployments.get((api.id, stage.deployment_id or "")))
    }
    keys = {
        key.id: ApiKey(key_id=key.id, name=key.name or "", value=key.value, enabled=bool(key.enabled))
        for key in backend.keys.values()
    }
    by_key = {
        (key_id, each["apiId"], each["stage"]): plans[plan.id]
        for plan in backend.usage_plans.values()
        for key_id in plans[plan.id].key_ids
        for each in plan.api_stages
    }
    by_value = {key.value: key for key in keys.values()}
    return View(stages=stages, keys=by_value, keys_by_id=keys, plans=plans, plans_by_key=by_key)


def _plan(plan: models.UsagePlan, keys: Iterable[str]) -> UsagePlan:
    return UsagePlan(
        plan_id=plan.id,
        name=plan.name or "",
        limit=_plan_limit(plan.throttle),
        quota=_quota(plan.quota),
        method_limits={
            (each["apiId"], each["stage"]): {
                name: limit
                for name, throttle in (each.get("throttle") or {}).items()
                if (limit := _plan_limit(throttle))
            }
            for each in plan.api_stages
        },
        key_ids=tuple(keys),
    )


def _log_format(settings: Mapping[str, Any]) -> LineFormat | None:
    return line_format(settings["format"]) if settings.get("format") else None


def _quota(quota: Mapping[str, Any]) -> Quota | None:
    if "limit" not in quota or "period" not in quota:
        return None
    return Quota(int(quota["limit"]), Period(quota["period"]), int(quota.get("offset") or 0))


def _limits(method_settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Limit]:
    """By `/path/VERB`."""
    return {
        limit_key(name): limit
        for name, settings in method_settings.items()
        if (limit := _limit(settings.get("throttlingRateLimit"), settings.get("throttlingBurstLimit")))
    }


def _plan_limit(throttle: Mapping[str, Any]) -> Limit | None:
    limit = _limit(throttle.get("rateLimit"), throttle.get("burstLimit"))
    return PLAN_LIMIT_OF_ZERO if limit and not (limit.rate and limit.burst) else limit


def _limit(rate: Any, burst: Any) -> Limit | None:
    if rate is None and burst is None:
        return None
    return Limit(
        rate=ACCOUNT_RATE_LIMIT if rate is None else float(rate),
        burst=ACCOUNT_BURST_LIMIT if burst is None else int(burst),
    )
