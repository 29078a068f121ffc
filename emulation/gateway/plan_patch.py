"""UpdateUsagePlan: patch operations applied to a copy of moto's model.

moto truncates fractional rates, and cannot throttle a plan's single methods.

Invariant: a model that is given stays as it is, so all the operations apply or none does.
"""

import copy
from collections.abc import Callable
from typing import Any

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, NotFound
from emulation.gateway.control.patches import ALL, Patch
from emulation.gateway.plan_rules import check_plan


def patched_plan(plan: models.UsagePlan, patches: list[Patch]) -> models.UsagePlan:
    """The plan with every operation applied, and fit to be a plan."""
    changed = copy.deepcopy(plan)
    for patch in patches:
        _apply_to_plan(changed, patch.op, patch.path, patch.value)
    changed.api_stages = [_without_empty_throttle(each) for each in changed.api_stages]
    check_plan(throttle=changed.throttle, quota=changed.quota, stages=changed.api_stages)
    return changed


_TEXTS = {"/name": "name", "/description": "description", "/productCode": "product_code"}
_NUMBERS: dict[str, tuple[str, str, Callable[[str], Any]]] = {
    "/throttle/rateLimit": ("throttle", "rateLimit", float),
    "/throttle/burstLimit": ("throttle", "burstLimit", int),
    "/quota/limit": ("quota", "limit", int),
    "/quota/offset": ("quota", "offset", int),
    "/quota/period": ("quota", "period", str),
}


def _apply_to_plan(plan: models.UsagePlan, op: str, path: str, value: Any) -> None:
    if op not in ALL:
        raise BadRequest(f"Invalid patch path  '{path}' specified for op '{op}'.")
    if path in _TEXTS:
        setattr(plan, _TEXTS[path], None if op == "remove" else value)
    elif path in ("/throttle", "/quota") and op == "remove":
        getattr(plan, path[1:]).clear()
    elif path in _NUMBERS:
        group, name, convert = _NUMBERS[path]
        _set(getattr(plan, group), name, op, convert(value) if op != "remove" else None)
    elif path == "/apiStages":
        _apply_to_stages(plan.api_stages, op, value)
    elif path.startswith("/apiStages/"):
        _apply_to_method_throttle(plan.api_stages, op, path.removeprefix("/apiStages/"), value)
    else:
        raise BadRequest(f"Invalid patch path {path}")


def _set(values: dict[str, Any], name: str, op: str, value: Any) -> None:
    if op == "remove":
        values.pop(name, None)
    else:
        values[name] = value


def _apply_to_stages(stages: list[dict[str, Any]], op: str, value: str | None) -> None:
    """Attaches or detaches the stage `{api}:{stage}`; one that is attached keeps its throttles."""
    api_id, _, stage = (value or "").partition(":")
    if op not in ("add", "remove") or not (api_id and stage):
        raise BadRequest("Invalid API Stage specified")
    attached = [each for each in stages if (each["apiId"], each["stage"]) == (api_id, stage)]
    if op == "remove" and not attached:
        raise NotFound(f"API Stage not found: {value}")
    if op == "remove":
        stages[:] = [each for each in stages if each not in attached]
    elif not attached:
        stages.append({"apiId": api_id, "stage": stage})


def _apply_to_method_throttle(stages: list[dict[str, Any]], op: str, path: str, value: Any) -> None:
    """`{api}:{stage}/throttle[/{path}/{VERB}[/rateLimit|/burstLimit]]`, slashes perhaps as `~1`."""
    named, _, rest = path.partition("/")
    found = [each for each in stages if f"{each['apiId']}:{each['stage']}" == named]
    if not found or not (rest == "throttle" or rest.startswith("throttle/")):
        raise BadRequest(f"Invalid patch path /apiStages/{path}")
    throttle: dict[str, dict[str, Any]] = found[0].get("throttle") or {}
    found[0]["throttle"] = throttle
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
        raise BadRequest(f"Invalid patch path /apiStages/{path}")


def _method_name(path: str) -> str:
    """`/path/VERB` with one slash in front, two for the root resource's own methods."""
    bare = path.lstrip("/")
    return f"/{bare}" if "/" in bare else f"//{bare}"


def _without_empty_throttle(stage: dict[str, Any]) -> dict[str, Any]:
    throttle = {name: limit for name, limit in (stage.get("throttle") or {}).items() if limit}
    rest = {name: value for name, value in stage.items() if name != "throttle"}
    return {**rest, "throttle": throttle} if throttle else rest
