"""API keys. All of it holds at once.

A legacy key's `stageKeys` are kept and admit nobody, as in the service since there are usage plans.
"""

from collections.abc import Callable, Mapping
from typing import Any

from moto.apigateway import models
from moto.apigateway.utils import ApigwApiKeyIdentifier

from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.control.answers import BadRequest, Conflict, Refusal
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import (
    REPLACE_OR_REMOVE,
    Field,
    Patch,
    Patchable,
    patched,
    patches_of,
    truth,
)
from emulation.gateway.control.plans import attach, check_attachable
from emulation.gateway.control.state import State, one, page
from emulation.gateway.known_ids import Kind, settle_key

SHORTEST_VALUE, LONGEST_VALUE = 20, 128
LONGEST_NAME, LONGEST_DESCRIPTION = 1_024, 125_000


def create_api_key(state: State, call: Call) -> Any:
    asked = call.body
    stages = [f"{each.get('restApiId')}/{each.get('stageName')}" for each in asked.get("stageKeys") or []]
    return _create(state, {**asked, "stageKeys": stages}).to_json()


def _create(state: State, asked: Mapping[str, Any]) -> models.ApiKey:
    value = asked.get("value") or None
    if value is not None:
        _check_value(value)
        if _by_value(state, value):
            raise Conflict("API Key already exists")
    key = models.ApiKey(
        api_key_id=ApigwApiKeyIdentifier(ACCOUNT, REGION, value or "").generate(),
        name=_name(asked.get("name") or "") or None,
        description=_description(asked.get("description") or "") or None,
        enabled=bool(asked.get("enabled")),
        value=value,
        stageKeys=asked.get("stageKeys"),
        tags=asked.get("tags"),
        customerId=asked.get("customerId"),
    )
    state.backend.keys[key.id] = key
    settle_key(state.ids, state.backend, key)
    return key


def _check_value(value: str) -> None:
    if len(value) < SHORTEST_VALUE:
        raise BadRequest(f"API Key value should be at least {SHORTEST_VALUE} characters")
    if len(value) > LONGEST_VALUE:
        raise BadRequest(f"API Key value exceeds maximum size of {LONGEST_VALUE} characters")


def _by_value(state: State, value: str) -> models.ApiKey | None:
    return next((key for key in state.backend.keys.values() if key.value == value), None)


def _name(text: str) -> str:
    if len(text) > LONGEST_NAME:
        raise BadRequest(f"Invalid API Key name, can be at most {LONGEST_NAME} characters.")
    return text


def _description(text: str) -> str:
    if len(text) > LONGEST_DESCRIPTION:
        raise BadRequest("Invalid API Key description specified.")
    return text


_FIELDS: Patchable = {
    "/description": Field("description", _description, REPLACE_OR_REMOVE),
    "/enabled": Field("enabled", truth),
    "/name": Field("name", _name),
    "/customerId": Field("customer_id", ops=REPLACE_OR_REMOVE),
}


def _key(state: State, call: Call) -> models.ApiKey:
    return state.key(call.path["api_Key"])


def get_api_key(state: State, call: Call) -> Any:
    return _told(_key(state, call), call.asked("includeValue"))


def get_api_keys(state: State, call: Call) -> Any:
    prefix, customer = call.asked("name") or "", call.asked("customerId")
    keys = [
        _told(key, call.asked("includeValues"))
        for key in state.backend.keys.values()
        if (key.name or "").startswith(prefix) and customer in (None, key.customer_id)
    ]
    return {**page(call, keys), "warnings": []}


def _told(key: models.ApiKey, with_value: str | None) -> dict[str, Any]:
    told: dict[str, Any] = key.to_json()
    return told if truth(with_value or "") else {name: told[name] for name in told if name != "value"}


def update_api_key(state: State, call: Call) -> Any:
    key = patched(_key(state, call), patches_of(call), _FIELDS)
    state.backend.keys[key.id] = key
    return _told(key, None)


def delete_api_key(state: State, call: Call) -> Any:
    """Deletes the key, which leaves its plans."""
    key = _key(state, call)
    state.ids.forget(Kind.KEY, key.id)
    for attached in state.backend.usage_plan_keys.values():
        attached.pop(key.id, None)
    del state.backend.keys[key.id]


def import_api_keys(state: State, call: Call) -> Any:
    """Makes or overwrites the keys of a file, line by line; a line that cannot be is a warning.

    With `failonwarnings` it undoes the lines before, and is refused.
    """
    if call.asked("format") != "csv":
        raise BadRequest("Invalid format. Valid options are csv")
    made, warnings, undo_all = [], [], _savepoint(state)
    for number, line in enumerate(call.body, start=1):
        undo = _savepoint(state)
        try:
            made.append(_import(state, line))
        except Refusal as refusal:
            undo()
            warnings.append(f"Line {number}: {refusal}")
    if warnings and truth(call.asked("failonwarnings") or ""):
        undo_all()
        raise BadRequest("; ".join(warnings))
    return {"ids": made, "warnings": warnings}


def _savepoint(state: State) -> Callable[[], None]:
    """Puts keys, and which plans they are in, back to what they are now. A key is never changed in place."""
    keys = dict(state.backend.keys)
    attached = {plan_id: dict(each) for plan_id, each in state.backend.usage_plan_keys.items()}

    def undo() -> None:
        state.backend.keys, state.backend.usage_plan_keys = keys, attached

    return undo


def _import(state: State, line: Mapping[str, str]) -> str:
    """The id of the line's key, which is in the line's plans too. One with that value is overwritten."""
    _check_value(line.get("key", ""))
    named = [each.strip() for each in line.get("usageplanids", "").split(",") if each.strip()]
    plans = [one(state.backend.usage_plans, plan_id, "Usage Plan ID") for plan_id in named]
    known = _by_value(state, line["key"])
    enabled = line.get("enabled") or "true"
    if known is None:
        key = _create(state, {**line, "value": line["key"], "enabled": truth(enabled)})
    else:
        told = {"name": line.get("name"), "description": line.get("description"), "enabled": enabled}
        key = patched(known, [Patch("replace", f"/{name}", text) for name, text in told.items()], _FIELDS)
        state.backend.keys[key.id] = key
    for plan in plans:
        if key.id not in state.backend.usage_plan_keys.get(plan.id, ()):
            check_attachable(state, plan, key)
            attach(state, plan, key)
    return str(key.id)


OPERATIONS = {
    "CreateApiKey": create_api_key,
    "DeleteApiKey": delete_api_key,
    "GetApiKey": get_api_key,
    "GetApiKeys": get_api_keys,
    "ImportApiKeys": import_api_keys,
    "UpdateApiKey": update_api_key,
}
