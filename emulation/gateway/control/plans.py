"""Usage plans, and the keys in them. All of it holds at once."""

from collections.abc import Mapping
from typing import Any

from moto.apigateway import models
from moto.apigateway.utils import ApigwUsagePlanIdentifier

from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.control.answers import BadRequest, Conflict, NotFound
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import patches_of
from emulation.gateway.control.state import State, one, page
from emulation.gateway.known_ids import Kind, settle_plan
from emulation.gateway.plan_patch import patched_plan
from emulation.gateway.plan_rules import check_key, check_plan


def create_usage_plan(state: State, call: Call) -> Any:
    asked = call.body
    throttle, quota = asked.get("throttle") or {}, asked.get("quota") or {}
    stages = asked.get("apiStages") or []
    check_plan(throttle=throttle, quota=quota, stages=stages)
    for each in stages:
        if not _is_there(state, each):
            raise NotFound(f"API Stage not found: {each['apiId']}:{each['stage']}")
    plan = models.UsagePlan(
        usage_plan_id=ApigwUsagePlanIdentifier(ACCOUNT, REGION, asked["name"]).generate(),
        name=asked["name"],
        description=asked.get("description"),
        apiStages=stages,
        throttle=throttle,
        quota={"offset": 0, **quota} if quota else None,
        tags=asked.get("tags"),
    )
    state.backend.usage_plans[plan.id] = plan
    settle_plan(state.ids, state.backend, plan)
    return plan.to_json()


def _is_there(state: State, stage: Mapping[str, Any]) -> bool:
    api = state.backend.apis.get(stage["apiId"])
    return api is not None and stage["stage"] in api.stages


def get_usage_plan(state: State, call: Call) -> Any:
    return state.plan(call).to_json()


def get_usage_plans(state: State, call: Call) -> Any:
    """All of them, or those that a key is in."""
    key_id, attached = call.asked("keyId"), state.backend.usage_plan_keys
    plans = state.backend.usage_plans.values()
    return page(
        call, [plan.to_json() for plan in plans if key_id is None or key_id in attached.get(plan.id, ())]
    )


def update_usage_plan(state: State, call: Call) -> Any:
    before = state.plan(call)
    plan = patched_plan(before, patches_of(call))
    for each in plan.api_stages:
        if each not in before.api_stages and not _is_there(state, each):
            named = f"{{api: {each['apiId']}, stage: {each['stage']}}}"
            raise NotFound(f"Invalid API Stage {named} specified for usageplan {plan.id}")
    if plan.api_stages != before.api_stages:
        for key_id in state.backend.usage_plan_keys.get(plan.id, ()):
            check_key(state.backend, plan, key_id)
    state.backend.usage_plans[plan.id] = plan
    return plan.to_json()


def delete_usage_plan(state: State, call: Call) -> Any:
    """Deletes the plan, with what attaches keys to it. Its stages must be detached before."""
    plan = state.plan(call)
    if plan.api_stages:
        first = plan.api_stages[0]
        told = f"including {first['apiId']}:{first['stage']}"
        because = f"because there are API Stages associated with it, {told}"
        raise BadRequest(f"Cannot delete Usage Plan {plan.id} {because}")
    state.backend.usage_plan_keys.pop(plan.id, None)
    state.ids.forget(Kind.PLAN, plan.id)
    del state.backend.usage_plans[plan.id]


def detach(state: State, api_id: str, stage: str) -> None:
    """Takes a stage that is deleted out of every plan."""
    for plan in state.backend.usage_plans.values():
        plan.api_stages = [
            each for each in plan.api_stages if (each["apiId"], each["stage"]) != (api_id, stage)
        ]


def create_usage_plan_key(state: State, call: Call) -> Any:
    plan, asked = state.plan(call), call.body
    if asked["keyType"] != "API_KEY":
        raise BadRequest("Invalid key type. Valid options are API_KEY")
    key = state.key(asked["keyId"])
    check_attachable(state, plan, key)
    return attach(state, plan, key)


def check_attachable(state: State, plan: models.UsagePlan, key: models.ApiKey) -> None:
    """Raises Conflict unless the key, which may not be in the backend yet, can be put into the plan."""
    if key.id in state.backend.usage_plan_keys.get(plan.id, ()):
        raise Conflict(f"Usage plan key {key.id} already exists in usage plan {plan.id}")
    check_key(state.backend, plan, key.id)


def attach(state: State, plan: models.UsagePlan, key: models.ApiKey) -> Any:
    """Puts the key into the plan."""
    attached = models.UsagePlanKey(plan_id=key.id, plan_type="API_KEY", name=key.name, value=key.value)
    state.backend.usage_plan_keys.setdefault(plan.id, {})[key.id] = attached
    return _told(state, key.id)


def _told(state: State, key_id: str) -> dict[str, Any]:
    """The key as it is now: its name may have been changed since it was attached."""
    key = state.backend.keys[key_id]
    return {"id": key.id, "type": "API_KEY", "name": key.name, "value": key.value}


def get_usage_plan_key(state: State, call: Call) -> Any:
    return _told(state, _attached(state, call))


def _attached(state: State, call: Call) -> str:
    among = state.backend.usage_plan_keys.get(state.plan(call).id, {})
    key: models.UsagePlanKey = one(among, call.path["keyId"], "API Key identifier")
    return str(key.id)


def get_usage_plan_keys(state: State, call: Call) -> Any:
    """The plan's keys whose name begins so; a plan that is not there has none, in the service too."""
    attached, prefix = (
        state.backend.usage_plan_keys.get(call.path["usageplanId"], {}),
        call.asked("name") or "",
    )
    told = [_told(state, key_id) for key_id in attached]
    return page(call, [each for each in told if (each["name"] or "").startswith(prefix)])


def delete_usage_plan_key(state: State, call: Call) -> Any:
    del state.backend.usage_plan_keys[call.path["usageplanId"]][_attached(state, call)]


OPERATIONS = {
    "CreateUsagePlan": create_usage_plan,
    "CreateUsagePlanKey": create_usage_plan_key,
    "DeleteUsagePlan": delete_usage_plan,
    "DeleteUsagePlanKey": delete_usage_plan_key,
    "GetUsagePlan": get_usage_plan,
    "GetUsagePlanKey": get_usage_plan_key,
    "GetUsagePlanKeys": get_usage_plan_keys,
    "GetUsagePlans": get_usage_plans,
    "UpdateUsagePlan": update_usage_plan,
}
