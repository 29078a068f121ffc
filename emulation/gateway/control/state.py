"""What the control plane holds: moto's models, and the deployments compiled from them."""

from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from moto.apigateway import models

from emulation.gateway.api import ACCOUNT, Deployment
from emulation.gateway.control.answers import BadRequest, Conflict, NotFound
from emulation.gateway.control.calls import Call
from emulation.gateway.known_ids import FreshIds, KnownIds

# A list has this many items a page unless told, and at most that many.
DEFAULT_PAGE, LARGEST_PAGE = 25, 500
M = TypeVar("M")


@dataclass(slots=True)
class State:
    """Used under the control plane's lock only."""

    backend: models.APIGatewayBackend
    ids: KnownIds = field(default_factory=FreshIds)
    deployments: MutableMapping[tuple[str, str], Deployment] = field(default_factory=dict)  # by (API, id)

    def api(self, call: Call) -> models.RestAPI:
        api_id = call.path["restapi_id"]
        api = self.backend.apis.get(api_id)
        if api is None:
            raise NotFound(f"Invalid API identifier specified {ACCOUNT}:{api_id}")
        return api

    def resource(self, call: Call) -> models.Resource:
        return one(self.resources(call), call.path["resource_id"], "Resource identifier")

    def resources(self, call: Call) -> Mapping[str, models.Resource]:
        """The API's, or none: an unknown API is told as an unknown resource, as the service does."""
        api = self.backend.apis.get(call.path["restapi_id"])
        return api.resources if api else {}

    def method(self, call: Call) -> models.Method:
        return one(self.resource(call).resource_methods, call.path["http_method"], "Method identifier")

    def stage(self, call: Call) -> models.Stage:
        return one(self.api(call).stages, call.path["stage_name"], "stage identifier")

    def plan(self, call: Call) -> models.UsagePlan:
        return one(self.backend.usage_plans, call.path["usageplanId"], "Usage Plan ID")

    def key(self, key_id: str) -> models.ApiKey:
        return one(self.backend.keys, key_id, "API Key identifier")


def one(among: Mapping[str, M], name: str | None, kind: str) -> M:
    """The item of that name, or NotFound in the service's words."""
    found = among.get(name or "")
    if found is None:
        raise NotFound(f"Invalid {kind} specified")
    return found


def page(call: Call, items: Sequence[Any]) -> dict[str, Any]:
    """One page of a list. The position is the number of items before the page."""
    try:
        limit, position = int(call.asked("limit") or 0), int(call.asked("position") or 0)
    except ValueError as error:
        raise BadRequest("limit and position are numbers") from error
    size = min(limit, LARGEST_PAGE) if limit > 0 else DEFAULT_PAGE
    start = max(position, 0)
    following = start + size
    more = {"position": str(following)} if following < len(items) else {}
    return {"item": items[start:following], **more}


def refuse_while_used(api: models.RestAPI, told: str, is_used_by: Callable[[models.Method], bool]) -> None:
    """Raises Conflict, which names the method, if one of the API's methods uses what is to be deleted."""
    for resource in api.resources.values():
        for verb, method in resource.resource_methods.items():
            if is_used_by(method):
                raise Conflict(f"Cannot delete {told}: {resource.get_path()}/{verb}")
