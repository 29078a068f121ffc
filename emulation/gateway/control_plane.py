"""API Gateway's control plane: moto's, with what moto lacks or gets wrong in this one place.

Ours: import from OpenAPI, UpdateMethod, UpdateUsagePlan, limits checked, a key kept to one plan a stage, a
deployment kept as a snapshot and put on a stage without losing its settings, stage throttles removed or left
to the account, and a deleted key that leaves its plans. Everything else is moto's, unchanged.

Invariant: all of it happens under one lock; a write that is refused has changed nothing; and whoever gets an
answer to a write finds it in the next `view`.
"""

import json
import re
import threading
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias

from moto.apigateway import models
from moto.core.exceptions import JsonRESTError

from emulation.gateway import imports
from emulation.gateway.api import ACCOUNT, REGION, Deployment, View
from emulation.gateway.compiler import compile_deployment
from emulation.gateway.imports import Mode
from emulation.gateway.openapi_import import InvalidDocument
from emulation.gateway.plan_patch import InvalidPatch, patched_method, patched_plan
from emulation.gateway.plan_rules import InvalidPlan, KeyConflict, check_key, check_plan
from emulation.gateway.stage_settings import check_method_settings, settle_method_settings
from emulation.gateway.view_compiler import compile_view
from emulation.http import Request, Response


class AwsApi(Protocol):
    """Whatever answers AWS requests: moto, behind its locks."""

    def handle(self, request: Request) -> Response: ...


_Operation: TypeAlias = "Callable[[ControlPlane, Request, re.Match[str]], Response]"


class ControlPlane:
    """Answers control-plane requests; safe to call from many threads."""

    def __init__(self, aws: AwsApi) -> None:
        self._aws = aws
        self._backend: models.APIGatewayBackend = models.apigateway_backends[ACCOUNT][REGION]
        self._lock = threading.Lock()
        self._deployments: dict[tuple[str, str], Deployment] = {}
        self._view: View | None = None

    def view(self) -> View:
        """What holds now: compiled at the first request after a change, and shared until the next one."""
        view = self._view
        if view is None:
            with self._lock:
                view = self._view = compile_view(self._backend, self._deployments)
        return view

    def handle(self, request: Request) -> Response:
        """Answers one request, and makes its change visible before it does."""
        with self._lock:
            try:
                return self._dispatch(request)
            except (InvalidDocument, InvalidPatch, InvalidPlan) as error:
                return failure(400, "BadRequestException", str(error))
            except KeyConflict as error:
                return failure(409, "ConflictException", str(error))
            except JsonRESTError as error:
                return failure(error.code, error.error_type, error.message)
            # A document or a patch of the wrong shape fails wherever it is first read.
            except (LookupError, ValueError, TypeError, AttributeError, RecursionError, re.error) as error:
                return failure(400, "BadRequestException", f"Invalid request: {error!r}")
            finally:
                if request.method != "GET":
                    self._view = None

    def _dispatch(self, request: Request) -> Response:
        for verb, pattern, operation in _OPERATIONS:
            if request.method == verb and (found := pattern.fullmatch(request.path.rstrip("/"))):
                return operation(self, request, found)
        return self._aws.handle(request)

    def _create_or_import_api(self, request: Request, found: re.Match[str]) -> Response:
        if "mode=import" not in request.query.split("&"):
            return self._aws.handle(request)
        api = imports.create_api(self._backend, _document(request))
        return answer(201, api.to_dict())

    def _put_api(self, request: Request, found: re.Match[str]) -> Response:
        mode = Mode.OVERWRITE if "mode=overwrite" in request.query.split("&") else Mode.MERGE
        api = imports.put_api(self._backend, found["api"], _document(request), mode=mode)
        return answer(200, api.to_dict())

    def _create_authorizer(self, request: Request, found: re.Match[str]) -> Response:
        response = self._aws.handle(request)
        if response.status == 201:  # moto loses the expression on the way, by a misspelt keyword
            created, asked = json.loads(response.body), json.loads(request.body)
            authorizer = self._backend.get_authorizer(found["api"], created["id"])
            authorizer.identity_validation_expression = asked.get("identityValidationExpression")
        return response

    def _create_deployment(self, request: Request, found: re.Match[str]) -> Response:
        api = self._backend.get_rest_api(found["api"])
        asked = json.loads(request.body or b"{}")
        replaced = api.stages.get(asked.get("stageName"))
        snapshot = compile_deployment(api, "")  # first, so that an API that cannot be served is not deployed
        response = self._aws.handle(request)
        if response.status != 201:
            return response
        deployment_id = json.loads(response.body)["id"]
        self._deployments[api.id, deployment_id] = snapshot.named(deployment_id)
        if replaced is not None:  # moto has put a new stage, without settings, in its place
            replaced.deployment_id = deployment_id
            replaced.variables.update(asked.get("variables") or {})
            api.stages[replaced.name] = replaced  # type: ignore[index]
        return response

    def _update_stage(self, request: Request, found: re.Match[str]) -> Response:
        stage = self._backend.get_stage(found["api"], found["stage"])
        known = set(stage.method_settings)
        check_method_settings(_operations(request))
        response = self._aws.handle(request)
        if response.status != 200:
            return response
        settle_method_settings(stage, known, _operations(request))
        return answer(200, stage.to_json())

    def _update_method(self, request: Request, found: re.Match[str]) -> Response:
        resource = self._backend.get_resource(found["api"], found["resource"])
        method = patched_method(resource.get_method(found["verb"]), _operations(request))
        resource.resource_methods[found["verb"]] = method
        return answer(200, method.to_json())

    def _create_plan(self, request: Request, found: re.Match[str]) -> Response:
        asked = json.loads(request.body)
        throttle, quota = asked.get("throttle") or {}, asked.get("quota") or {}
        check_plan(throttle=throttle, quota=quota, stages=asked.get("apiStages") or [])
        return self._aws.handle(request)

    def _update_plan(self, request: Request, found: re.Match[str]) -> Response:
        plan = patched_plan(self._backend.get_usage_plan(found["plan"]), _operations(request))
        for key_id in self._backend.usage_plan_keys.get(plan.id, {}):
            check_key(self._backend, plan, key_id)
        self._backend.usage_plans[plan.id] = plan
        return answer(200, plan.to_json())

    def _create_plan_key(self, request: Request, found: re.Match[str]) -> Response:
        plan = self._backend.get_usage_plan(found["plan"])
        check_key(self._backend, plan, json.loads(request.body)["keyId"])
        return self._aws.handle(request)

    def _delete_plan(self, request: Request, found: re.Match[str]) -> Response:
        self._backend.get_usage_plan(found["plan"])
        self._backend.usage_plan_keys.pop(found["plan"], None)
        return self._aws.handle(request)

    def _delete_key(self, request: Request, found: re.Match[str]) -> Response:
        response = self._aws.handle(request)
        if response.status == 202:
            for keys in self._backend.usage_plan_keys.values():
                keys.pop(found["key"], None)
        return response


def _operation(verb: str, path: str, operation: _Operation) -> tuple[str, re.Pattern[str], _Operation]:
    """`{name}` in the path stands for one segment."""
    return verb, re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", path)), operation


_OPERATIONS = (
    _operation("POST", "/restapis", ControlPlane._create_or_import_api),
    _operation("PUT", "/restapis/{api}", ControlPlane._put_api),
    _operation("POST", "/restapis/{api}/authorizers", ControlPlane._create_authorizer),
    _operation("POST", "/restapis/{api}/deployments", ControlPlane._create_deployment),
    _operation("PATCH", "/restapis/{api}/stages/{stage}", ControlPlane._update_stage),
    _operation("PATCH", "/restapis/{api}/resources/{resource}/methods/{verb}", ControlPlane._update_method),
    _operation("POST", "/usageplans", ControlPlane._create_plan),
    _operation("PATCH", "/usageplans/{plan}", ControlPlane._update_plan),
    _operation("DELETE", "/usageplans/{plan}", ControlPlane._delete_plan),
    _operation("POST", "/usageplans/{plan}/keys", ControlPlane._create_plan_key),
    _operation("DELETE", "/apikeys/{key}", ControlPlane._delete_key),
)


def _document(request: Request) -> Mapping[str, Any]:
    try:
        document = json.loads(request.body)
    except ValueError as error:
        raise InvalidDocument("Invalid OpenAPI input: the document is not JSON") from error
    if not isinstance(document, dict):
        raise InvalidDocument("Invalid OpenAPI input: the document is not an object")
    return document


def _operations(request: Request) -> list[Mapping[str, Any]]:
    operations = json.loads(request.body or b"{}").get("patchOperations") or []
    assert isinstance(operations, list)
    return operations


def answer(status: int, body: Any) -> Response:
    """A control-plane answer."""
    return Response(status, (("Content-Type", "application/json"),), json.dumps(body).encode())


def failure(status: int, error_type: str, message: str) -> Response:
    """A control-plane error, in the form that the SDKs read."""
    headers = (("Content-Type", "application/json"), ("x-amzn-ErrorType", error_type))
    return Response(status, headers, json.dumps({"message": message}).encode())
