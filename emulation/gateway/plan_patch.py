"""UpdateUsagePlan and UpdateMethod: patch operations applied to moto's models.

moto answers UpdateMethod with 500, truncates fractional rates, and cannot throttle a plan's single methods.
"""

from collections.abc import Callable, Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.quota import OFFSETS, Period


class InvalidPatch(Exception):
    """The operation names nothing that can be changed so, or a value that is not allowed."""


def patch_plan(plan: models.UsagePlan, operations: list[Mapping[str, Any]]) -> None:
    """Applies the operations to the plan, all of them or none."""
    changed: dict[str, Any] = {
        "throttle": dict(plan.throttle),
        "quota": dict(plan.quota),
        "stages": [
            {**each, "throttle": {name: dict(limit) for name, limit in (each.get("throttle") or {}).items()}}
            for each in plan.api_stages
        ],
        "texts": {},
    }
    for operation in operations:
        _apply_to_plan(changed, operation["op"], operation["path"], operation.get("value"))
    check_quota(changed["quota"])
    plan.throttle, plan.quota = changed["throttle"], changed["quota"]
    plan.api_stages = [_without_empty_throttle(each) for each in changed["stages"]]
    for name, text in changed["texts"].items():
        setattr(plan, name, text)


def check_quota(quota: Mapping[str, Any]) -> None:
    """Raises InvalidPatch unless the quota is absent, or whole and its offset in its period's range."""
    if not quota:
        return
    if "limit" not in quota or quota.get("period") not in {period.value for period in Period}:
        raise InvalidPatch("Usage Plan quota must have a limit and a period of DAY, WEEK or MONTH")
    if int(quota["limit"]) < 0:
        raise InvalidPatch("Usage Plan quota limit must not be negative")
    offsets = OFFSETS[Period(quota["period"])]
    if int(quota.get("offset") or 0) not in offsets:
        raise InvalidPatch(
            f"Usage Plan quota offset must be {_named(offsets)} for the {quota['period']} period"
        )


def _named(offsets: range) -> str:
    return "zero" if len(offsets) == 1 else f"in the range 0 to {offsets[-1]}"


_TEXTS = {"/name": "name", "/description": "description", "/productCode": "product_code"}
_NUMBERS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "/throttle/rateLimit": ("throttle", "rateLimit", float),
    "/throttle/burstLimit": ("throttle", "burstLimit", int),
    "/quota/limit": ("quota", "limit", int),
    "/quota/offset": ("quota", "offset", int),
    "/quota/period": ("quota", "period", str),
}


def _apply_to_plan(changed: dict[str, Any], op: str, path: str, value: Any) -> None:
    if path in _TEXTS:
        changed["texts"][_TEXTS[path]] = None if op == "remove" else value
    elif path in ("/throttle", "/quota") and op == "remove":
        changed[path[1:]].clear()
    elif path in _NUMBERS:
        group, name, convert = _NUMBERS[path]
        _set(changed[group], name, op, convert(value) if op != "remove" else None)
    elif path == "/apiStages":
        _apply_to_stages(changed["stages"], op, value)
    elif path.startswith("/apiStages/"):
        _apply_to_method_throttle(changed["stages"], op, path.removeprefix("/apiStages/"), value)
    else:
        raise InvalidPatch(f"Invalid patch path {path}")


def _set(values: dict[str, Any], name: str, op: str, value: Any) -> None:
    if op == "remove":
        values.pop(name, None)
    elif op in ("add", "replace"):
        values[name] = value
    else:
        raise InvalidPatch(f"Invalid patch operation {op}")


def _apply_to_stages(stages: list[dict[str, Any]], op: str, value: str) -> None:
    api_id, _, stage = value.partition(":")
    stages[:] = [each for each in stages if (each["apiId"], each["stage"]) != (api_id, stage)]
    if op == "add":
        stages.append({"apiId": api_id, "stage": stage})


def _apply_to_method_throttle(stages: list[dict[str, Any]], op: str, path: str, value: Any) -> None:
    """`{api}:{stage}/throttle[/{path}/{VERB}[/rateLimit|/burstLimit]]`, slashes perhaps as `~1`."""
    named, _, rest = path.partition("/")
    found = [each for each in stages if f"{each['apiId']}:{each['stage']}" == named]
    if not found or not (rest == "throttle" or rest.startswith("throttle/")):
        raise InvalidPatch(f"Invalid patch path /apiStages/{path}")
    throttle: dict[str, dict[str, Any]] = found[0].setdefault("throttle", {})
    method, _, limit = rest.removeprefix("throttle").replace("~1", "/").rpartition("/")
    if limit in ("rateLimit", "burstLimit"):
        convert: Callable[[Any], Any] = float if limit == "rateLimit" else int
        _set(
            throttle.setdefault(_method_name(method), {}),
            limit,
            op,
            convert(value) if op != "remove" else None,
        )
    elif op == "remove" and rest == "throttle":
        throttle.clear()
    elif op == "remove":
        throttle.pop(_method_name(f"{method}/{limit}"), None)
    elif value is not None:
        raise InvalidPatch(f"Invalid patch path /apiStages/{path}")


def _method_name(path: str) -> str:
    """`/path/VERB` with one slash in front, two for the root resource's own methods."""
    bare = path.lstrip("/")
    return f"/{bare}" if "/" in bare else f"//{bare}"


def _without_empty_throttle(stage: dict[str, Any]) -> dict[str, Any]:
    throttle = {name: limit for name, limit in stage["throttle"].items() if limit}
    rest = {name: value for name, value in stage.items() if name != "throttle"}
    return {**rest, "throttle": throttle} if throttle else rest


_METHOD_FIELDS = {
    "/apiKeyRequired": "api_key_required",
    "/authorizationType": "authorization_type",
    "/authorizerId": "authorizer_id",
    "/operationName": "operation_name",
    "/requestValidatorId": "request_validator_id",
}
_METHOD_MAPS = {"requestParameters": "request_parameters", "requestModels": "request_models"}


def patch_method(method: models.Method, operations: list[Mapping[str, Any]]) -> None:
    """Applies the operations to the method; the deployments made so far do not see it."""
    for operation in operations:
        op, path, value = operation["op"], operation["path"], operation.get("value")
        group, _, name = path.removeprefix("/").partition("/")
        if path in _METHOD_FIELDS:
            typed = value == "true" if path == "/apiKeyRequired" else value
            setattr(method, _METHOD_FIELDS[path], None if op == "remove" else typed)
        elif group in _METHOD_MAPS and name:
            values = dict(getattr(method, _METHOD_MAPS[group]) or {})
            _set(
                values,
                name.replace("~1", "/"),
                op,
                value == "true" if group == "requestParameters" else value,
            )
            setattr(method, _METHOD_MAPS[group], values)
        else:
            raise InvalidPatch(f"Invalid patch path {path}")
