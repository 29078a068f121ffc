"""Deployments: snapshots of an API, each served by the stages that are on it."""

from typing import Any

from moto.apigateway import models
from moto.apigateway.utils import ApigwDeploymentIdentifier

from emulation.gateway.api import ACCOUNT, REGION
from emulation.gateway.compiler import compile_deployment
from emulation.gateway.control.answers import BadRequest, NotImitated
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import REPLACE_OR_REMOVE, Field, Patchable, patched, patches_of
from emulation.gateway.control.stages import NOT_IMITATED, checked_name, checked_variables
from emulation.gateway.control.state import State, one, page

_Deployment: Any = models.Deployment  # abstract to a type checker
_FIELDS: Patchable = {"/description": Field("description", ops=REPLACE_OR_REMOVE)}


def create_deployment(state: State, call: Call) -> Any:
    """A snapshot of the API as it is now; put on its stage, which keeps its settings, or on a new one."""
    api, asked = state.api(call), call.body
    for name in NOT_IMITATED:
        if asked.get(name):
            raise NotImitated(f"{name} is not imitated")
    stage_name = checked_name(asked["stageName"]) if asked.get("stageName") else None
    variables = checked_variables(asked.get("variables") or {})
    methods = [each for resource in api.resources.values() for each in resource.resource_methods.values()]
    if not methods:
        raise BadRequest("The REST API doesn't contain any methods")
    if not all(method.method_integration for method in methods):
        raise BadRequest("No integration defined for method")
    snapshot = compile_deployment(api, "")  # first, so that an API that cannot be served is not deployed
    made_id = ApigwDeploymentIdentifier(ACCOUNT, REGION, stage_name or "").generate(list(api.deployments))
    deployment: models.Deployment = _Deployment(made_id, stage_name, asked.get("description"))
    api.deployments[made_id] = deployment
    state.deployments[api.id, made_id] = snapshot.named(made_id)
    if stage_name:
        _put_on_stage(api, stage_name, made_id, variables, asked.get("stageDescription"))
    return _told(deployment)


def _put_on_stage(
    api: models.RestAPI, name: str, deployment_id: str, variables: dict[str, str], description: str | None
) -> None:
    stage = api.stages.setdefault(name, models.Stage(name=name, description=description or ""))
    stage.deployment_id = deployment_id
    stage.variables = {**stage.variables, **variables}


def _deployment(state: State, call: Call) -> models.Deployment:
    return one(state.api(call).deployments, call.path["deployment_id"], "Deployment identifier")


def get_deployment(state: State, call: Call) -> Any:
    return _told(_deployment(state, call))


def get_deployments(state: State, call: Call) -> Any:
    return page(call, [_told(each) for each in state.api(call).deployments.values()])


def update_deployment(state: State, call: Call) -> Any:
    deployment = patched(_deployment(state, call), patches_of(call), _FIELDS)
    state.api(call).deployments[deployment.id] = deployment
    return _told(deployment)


def delete_deployment(state: State, call: Call) -> Any:
    deployment, api = _deployment(state, call), state.api(call)
    if any(stage.deployment_id == deployment.id for stage in api.stages.values()):
        raise BadRequest("Active stages pointing to this deployment must be moved or deleted")
    del api.deployments[deployment.id]
    del state.deployments[api.id, deployment.id]


def _told(deployment: models.Deployment) -> dict[str, Any]:
    told: dict[str, Any] = deployment.to_json()
    return {name: value for name, value in told.items() if name != "stageName" and value}


OPERATIONS = {
    "CreateDeployment": create_deployment,
    "DeleteDeployment": delete_deployment,
    "GetDeployment": get_deployment,
    "GetDeployments": get_deployments,
    "UpdateDeployment": update_deployment,
}
