"""The account's own settings, and the tags of whatever can have them."""

import copy
import re
from typing import Any

from emulation.gateway.control.answers import BadRequest, NotFound
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import Patch, patches_of
from emulation.gateway.control.state import State
from emulation.gateway.view_compiler import ACCOUNT_BURST_LIMIT, ACCOUNT_RATE_LIMIT

# An account of today has usage plans, and cannot do without them.
_FEATURES = ["UsagePlans"]
_API_KEY_VERSION = "4"
_ARN = re.compile(
    r"arn:[\w-]+:apigateway:[\w-]+::/(?P<kind>restapis|apikeys|usageplans)/(?P<id>[^/]+)(/stages/(?P<stage>[^/]+))?"
)
LARGEST_TAGS = 50


def get_account(state: State, call: Call) -> Any:
    return {
        "cloudwatchRoleArn": state.backend.account.cloudwatch_role_arn,
        "throttleSettings": {"rateLimit": ACCOUNT_RATE_LIMIT, "burstLimit": ACCOUNT_BURST_LIMIT},
        "features": _FEATURES,
        "apiKeyVersion": _API_KEY_VERSION,
    }


def update_account(state: State, call: Call) -> Any:
    changed = copy.copy(state.backend.account)
    for patch in patches_of(call):
        _patch(changed, patch)
    state.backend.account = changed
    return get_account(state, call)


def _patch(account: Any, patch: Patch) -> None:
    """The role is kept, and nothing is written to CloudWatch."""
    if patch.path == "/cloudwatchRoleArn" and patch.op in ("add", "replace", "remove"):
        account.cloudwatch_role_arn = patch.value if patch.op != "remove" else None
    elif patch.path == "/features" and patch.value in _FEATURES and patch.op == "remove":
        raise BadRequest("Usage Plans cannot be disabled once enabled")
    elif not (patch.path == "/features" and patch.value in _FEATURES and patch.op == "add"):
        told = "Must be one of: [/cloudwatchRoleArn, /features]"
        raise BadRequest(f"Invalid patch path  '{patch.path}' specified for op '{patch.op}'. {told}")


def _tagged(state: State, call: Call) -> Any:
    """What the ARN names: an API, a stage, a key or a plan."""
    found = _ARN.fullmatch(call.path["resource_arn"])
    if found is None:
        raise BadRequest("Invalid ARN specified in the request")
    backend = state.backend
    among: dict[str, Any] = {
        "restapis": backend.apis,
        "apikeys": backend.keys,
        "usageplans": backend.usage_plans,
    }
    named = among[found["kind"]].get(found["id"])
    if named is not None and found["stage"] is not None:
        named = getattr(named, "stages", {}).get(found["stage"])
    if named is None:
        raise NotFound("Invalid resource ARN specified in the request")
    return named


def get_tags(state: State, call: Call) -> Any:
    return {"tags": _tagged(state, call).tags or {}}


def tag_resource(state: State, call: Call) -> Any:
    tagged = _tagged(state, call)
    tags = {**(tagged.tags or {}), **call.body["tags"]}
    if len(tags) > LARGEST_TAGS:
        raise BadRequest(f"A resource has at most {LARGEST_TAGS} tags")
    tagged.tags = tags


def untag_resource(state: State, call: Call) -> Any:
    tagged, removed = _tagged(state, call), call.query.get("tagKeys", [])
    tagged.tags = {name: value for name, value in (tagged.tags or {}).items() if name not in removed}


OPERATIONS = {
    "GetAccount": get_account,
    "GetTags": get_tags,
    "TagResource": tag_resource,
    "UntagResource": untag_resource,
    "UpdateAccount": update_account,
}
