"""Stages: what is served, with settings and variables that hold at once."""

import copy
import re
from collections.abc import Mapping
from typing import Any

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, Conflict, NotImitated
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import (
    REPLACE_OR_REMOVE,
    Entries,
    Field,
    Patch,
    Patchable,
    apply,
    patches_of,
    truth,
)
from emulation.gateway.control.plans import detach
from emulation.gateway.control.state import State, one
from emulation.gateway.stage_settings import apply_to_settings

# What a stage could do with these, none does here.
NOT_IMITATED = ("canarySettings", "cacheClusterEnabled")
_NOT_IMITATED_PATHS = ("/canarySettings", "/cacheClusterSize", "/clientCertificateId")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_VARIABLE = re.compile(r"[a-zA-Z0-9_]+")
_VARIABLE_VALUE = re.compile(r"[A-Za-z0-9._~:/?#&=,-]*")
_FIELDS: Patchable = {
    "/description": Field("description", ops=REPLACE_OR_REMOVE),
    "/deploymentId": Field("deployment_id"),
    "/tracingEnabled": Field("tracing_enabled", truth),
    "/variables": Entries("variables"),
}
_LOG_PATHS = ("/accessLogSettings/destinationArn", "/accessLogSettings/format")


def create_stage(state: State, call: Call) -> Any:
    api, asked = state.api(call), call.body
    for name in NOT_IMITATED:
        if asked.get(name):
            raise NotImitated(f"{name} is not imitated")
    name = checked_name(asked["stageName"])
    if name in api.stages:
        raise Conflict("Stage already exists")
    one(api.deployments, asked["deploymentId"], "Deployment identifier")
    stage = models.Stage(
        name=name,
        deployment_id=asked["deploymentId"],
        variables=checked_variables(asked.get("variables") or {}),
        description=asked.get("description"),
        tags=asked.get("tags"),
        tracing_enabled=asked.get("tracingEnabled"),
    )
    api.stages[name] = stage
    return stage.to_json()


def checked_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise BadRequest("Stage name only allows a-zA-Z0-9_-")
    return name


def checked_variables(variables: Mapping[str, str]) -> dict[str, str]:
    for name, value in variables.items():
        if not _VARIABLE.fullmatch(name) or not _VARIABLE_VALUE.fullmatch(value):
            told = "Its name is letters, digits and _; its value letters, digits and -._~:/?#&=,"
            raise BadRequest(f"Stage variable {name} is invalid. {told}")
    return dict(variables)


def get_stage(state: State, call: Call) -> Any:
    return state.stage(call).to_json()


def get_stages(state: State, call: Call) -> Any:
    """Those of a deployment if it is named. The service does not page these."""
    deployment_id = call.asked("deploymentId")
    stages = state.api(call).stages.values()
    return {"item": [each.to_json() for each in stages if deployment_id in (None, each.deployment_id)]}


def update_stage(state: State, call: Call) -> Any:
    api, stage = state.api(call), copy.copy(state.stage(call))
    for patch in patches_of(call):
        _patch(stage, patch)
    one(api.deployments, stage.deployment_id, "Deployment identifier")
    checked_variables(stage.variables)
    api.stages[call.path["stage_name"]] = stage
    return stage.to_json()


def _patch(stage: models.Stage, patch: Patch) -> None:
    group = f"/{patch.path.removeprefix('/').partition('/')[0]}"
    if group == "/accessLogSettings" and (patch.op != "remove" or patch.path == group):
        stage.access_log_settings = _log_settings(stage, patch)
    elif group in _NOT_IMITATED_PATHS or (patch.path == "/cacheClusterEnabled" and truth(patch.text())):
        raise NotImitated(f"{group[1:]} is not imitated")
    elif patch.path == "/cacheClusterEnabled":
        stage.cache_cluster_enabled = False
    elif group in _FIELDS:
        apply(stage, patch, _FIELDS)
    else:
        stage.method_settings = apply_to_settings(stage.method_settings, patch)


def _log_settings(stage: models.Stage, patch: Patch) -> dict[str, str] | None:
    if patch.op == "remove":
        return None
    if patch.path not in _LOG_PATHS:
        told = f"Must be one of : [{', '.join(_LOG_PATHS)}]"
        raise BadRequest(f"Invalid accessLogSettings path. {told}")
    if not patch.value:
        raise BadRequest("Access Log value must not be empty")
    return {**(stage.access_log_settings or {}), patch.path.split("/")[2]: patch.value}


def delete_stage(state: State, call: Call) -> Any:
    """Deletes the stage, and takes it out of the usage plans."""
    state.stage(call)
    api, name = state.api(call), call.path["stage_name"]
    detach(state, api.id, name)
    del api.stages[name]


OPERATIONS = {
    "CreateStage": create_stage,
    "DeleteStage": delete_stage,
    "GetStage": get_stage,
    "GetStages": get_stages,
    "UpdateStage": update_stage,
}
