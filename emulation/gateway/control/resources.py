"""Resources: the tree of an API's paths.

Invariant: siblings differ, one of them at most is a variable, and nothing is below a greedy one; so a path
leads to one resource.
"""

import re
from typing import Any

from moto.apigateway import models

from emulation.gateway.control.answers import BadRequest, Conflict
from emulation.gateway.control.calls import Call
from emulation.gateway.control.patches import Field, patched, patches_of
from emulation.gateway.control.state import State, one, page

_PATH_PART = re.compile(r"[a-zA-Z0-9._:-]+|\{[a-zA-Z0-9._:-]+\+?\}")
_PATH_PART_RULE = (
    "Resource's path part only allow a-zA-Z0-9._-: or a valid greedy path variable "
    "and curly braces at the beginning and the end."
)
_FIELDS = {"/parentId": Field("parent_id"), "/pathPart": Field("path_part")}


def create_resource(state: State, call: Call) -> Any:
    resources = state.resources(call)
    parent = one(resources, call.path["parent_id"], "Resource identifier")
    return add_resource(state.api(call), parent, call.body["pathPart"]).to_dict()


def add_resource(api: models.RestAPI, parent: models.Resource, path_part: str) -> models.Resource:
    """A new resource below the parent, or a Refusal."""
    if not _PATH_PART.fullmatch(path_part):
        raise BadRequest(_PATH_PART_RULE)
    _check_place(parent, path_part, _children(api, parent))
    return api.add_child(path_part, parent.id)


def _check_place(parent: models.Resource, path_part: str, siblings: list[models.Resource]) -> None:
    if parent.path_part.endswith("+}"):
        raise BadRequest(
            f"Cannot create a child of a resource with a greedy path variable: {parent.path_part}"
        )
    if any(each.path_part == path_part for each in siblings):
        raise Conflict(f"Another resource with the same parent already has this name: {path_part}")
    variable = next((each.path_part for each in siblings if each.path_part.startswith("{")), None)
    if variable and path_part.startswith("{"):
        told = "already has a variable path part -- only one is allowed"
        raise BadRequest(f"A sibling ({variable}) of this resource {told}")


def update_resource(state: State, call: Call) -> Any:
    resource, api, patches = state.resource(call), state.api(call), patches_of(call)
    changed = patched(resource, patches, _FIELDS)
    if resource.id == api.root_resource_id and patches:
        raise BadRequest(f"Root resource cannot update its {patches[0].path[1:]}.")
    if resource.id != api.root_resource_id:
        _check_moved(api, changed)
    api.resources[changed.id] = changed
    return changed.to_dict()


def _check_moved(api: models.RestAPI, changed: models.Resource) -> None:
    parent = one(api.resources, changed.parent_id, "Resource identifier")
    if changed.id in [each.id for each in _line(api, parent)]:
        raise BadRequest("Resources cannot be cyclical.")
    if not _PATH_PART.fullmatch(changed.path_part):
        raise BadRequest(_PATH_PART_RULE)
    if changed.path_part.endswith("+}") and _children(api, changed):
        raise BadRequest(f"A greedy path variable cannot have children: {changed.path_part}")
    siblings = [each for each in _children(api, parent) if each.id != changed.id]
    _check_place(parent, changed.path_part, siblings)


def delete_resource(state: State, call: Call) -> Any:
    """Deletes the resource and all below it."""
    resource, api = state.resource(call), state.api(call)
    if resource.id == api.root_resource_id:
        raise BadRequest("Root resource cannot be deleted.")
    api.resources = {each.id: each for each in api.resources.values() if resource not in _line(api, each)}


def _children(api: models.RestAPI, parent: models.Resource) -> list[models.Resource]:
    return [each for each in api.resources.values() if each.parent_id == parent.id]


def _line(api: models.RestAPI, resource: models.Resource) -> list[models.Resource]:
    """The resource and its ancestors."""
    line = [resource]
    while line[-1].parent_id:
        line.append(api.resources[line[-1].parent_id])
    return line


def get_resource(state: State, call: Call) -> Any:
    return _told(state.resource(call), call)


def get_resources(state: State, call: Call) -> Any:
    return page(call, [_told(each, call) for each in state.api(call).resources.values()])


def _told(resource: models.Resource, call: Call) -> dict[str, Any]:
    """Its methods are told in full only when they are asked for, else by their verbs."""
    told: dict[str, Any] = resource.to_dict()
    if "resourceMethods" in told and "methods" not in call.query.get("embed", []):
        told["resourceMethods"] = {verb: {} for verb in told["resourceMethods"]}
    return told


OPERATIONS = {
    "CreateResource": create_resource,
    "DeleteResource": delete_resource,
    "GetResource": get_resource,
    "GetResources": get_resources,
    "UpdateResource": update_resource,
}
