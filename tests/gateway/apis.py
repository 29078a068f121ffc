"""APIs that the tests deploy, made with boto3 as anyone would."""

import json
from dataclasses import dataclass
from typing import Any

import httpx

from tests.gateway.conftest import Stack


def function_uri(name: str) -> str:
    arn = f"arn:aws:lambda:us-east-1:123456789012:function:{name}"
    return f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"


def proxy(name: str = "hello", **settings: Any) -> dict[str, Any]:
    return {"type": "aws_proxy", "httpMethod": "POST", "uri": function_uri(name), **settings}


def operation(**settings: Any) -> dict[str, Any]:
    """An operation of an OpenAPI document, integrated with the function `hello`."""
    return {
        "responses": {"200": {"description": "ok"}},
        "x-amazon-apigateway-integration": proxy(),
        **settings,
    }


def document(paths: dict[str, Any], **settings: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "tested", "version": "1"}, "paths": paths, **settings}


def authorizer_scheme(**settings: Any) -> dict[str, Any]:
    """A TOKEN authorizer on the function `authorize`, its results not cached unless `settings` say so."""
    declared = {
        "type": "token",
        "authorizerUri": function_uri("authorize"),
        "authorizerResultTtlInSeconds": 0,
    }
    return {
        "type": "apiKey",
        "name": "Authorization",
        "in": "header",
        "x-amazon-apigateway-authtype": "custom",
        "x-amazon-apigateway-authorizer": {**declared, **settings},
    }


API_KEY_SCHEME = {"type": "apiKey", "name": "x-api-key", "in": "header"}
KEY_REQUIRED: list[dict[str, list[str]]] = [{"api_key": []}]
KEYED = {"components": {"securitySchemes": {"api_key": API_KEY_SCHEME}}}


def allow(**settings: Any) -> dict[str, Any]:
    """An authorizer's answer that allows everything."""
    statement = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "*"}
    return {
        "principalId": "someone",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        **settings,
    }


@dataclass(frozen=True, slots=True)
class Api:
    """A deployed API with the stage `test`."""

    stack: Stack
    api_id: str
    stage: str = "test"

    def request(self, method: str, path: str, **settings: Any) -> httpx.Response:
        return self.stack.http.request(
            method, f"/_aws/execute-api/{self.api_id}/{self.stage}{path}", **settings
        )

    def get(self, path: str, **settings: Any) -> httpx.Response:
        return self.request("GET", path, **settings)

    def resource_id(self, path: str) -> str:
        resources = self.stack.apigateway.get_resources(restApiId=self.api_id)["items"]
        return next(each["id"] for each in resources if each["path"] == path)

    def redeploy(self) -> None:
        self.stack.apigateway.create_deployment(restApiId=self.api_id, stageName=self.stage)

    def plan(self, name: str = "plan", **settings: Any) -> str:
        """A usage plan on the stage."""
        stages = settings.pop("apiStages", [{"apiId": self.api_id, "stage": self.stage}])
        return self.stack.apigateway.create_usage_plan(name=name, apiStages=stages, **settings)["id"]

    def patch_stage(self, path: str, value: str) -> None:
        self.stack.apigateway.update_stage(
            restApiId=self.api_id,
            stageName=self.stage,
            patchOperations=[{"op": "replace", "path": path, "value": value}],
        )


def imported(stack: Stack, body: dict[str, Any], **stage: Any) -> Api:
    """The document imported and deployed; `hello` behind it answers 200 unless the test says otherwise."""
    stack.functions.setdefault("hello", lambda event: {"statusCode": 200, "body": "hello"})
    api_id = stack.apigateway.import_rest_api(body=json.dumps(body).encode())["id"]
    stack.apigateway.create_deployment(restApiId=api_id, stageName="test", **stage)
    return Api(stack, api_id)


def key_in(stack: Stack, *plan_ids: str, value: str = "k" * 24, enabled: bool = True) -> str:
    """The id of a key with that value, in the plans."""
    key_id = stack.apigateway.create_api_key(name=value, value=value, enabled=enabled)["id"]
    for plan_id in plan_ids:
        stack.apigateway.create_usage_plan_key(usagePlanId=plan_id, keyId=key_id, keyType="API_KEY")
    return key_id
