"""The gateway, as far as functions can see it: the authorizer is asked first, and then the handler."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chalicelib.web.operations import Operation
from tests.policies.functions import Functions
from tests.policies.iam import ACCOUNT, REGION

API = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:api/local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request of one operation, with the parameters of its path; its body is JSON or a form."""

    operation: Operation
    authorization: str | None = None
    path: Mapping[str, str] | None = None
    query: Mapping[str, str] | None = None
    headers: Mapping[str, str] | None = None
    json: object = None
    form: Mapping[str, str] | None = None


class Gateway:
    """Answers calls; it remembers which operations were called."""

    def __init__(self, functions: Functions) -> None:
        self._functions = functions
        self.called: set[str] = set()

    def send(self, call: Call, *, expect: int) -> Any:
        """What an answer with this status says."""
        self.called.add(call.operation.id)
        caller = self._caller(call) if call.operation.scope else {}
        answered = self._functions.invoke("api_handler", event_of(call, caller))
        assert answered["statusCode"] == expect, answered
        is_json = "json" in answered["headers"].get("Content-Type", "")
        return json.loads(answered["body"]) if is_json else answered["body"]

    def _caller(self, call: Call) -> Mapping[str, str]:
        """What the authorizer says of the caller."""
        method_arn = f"{API}/{call.operation.method}{_path(call)}"
        event = {"type": "TOKEN", "authorizationToken": call.authorization, "methodArn": method_arn}
        decided = self._functions.invoke("authorize", event)
        assert decided["policyDocument"]["Statement"][0]["Effect"] == "Allow", call
        return {**decided["context"], "principalId": decided["principalId"]}


def _path(call: Call) -> str:
    return call.operation.path.format(**call.path or {})


def event_of(call: Call, caller: Mapping[str, str]) -> dict[str, Any]:
    """As a Lambda proxy integration gets it (version 1.0)."""
    headers = dict(call.headers or {})
    body: str | None = None
    if call.authorization:
        headers["Authorization"] = call.authorization
    if call.json is not None:
        headers["Content-Type"], body = "application/json", json.dumps(call.json)
    if call.form is not None:
        headers["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(call.form)
    query = dict(call.query or {})
    return {
        "resource": call.operation.path,
        "path": _path(call),
        "httpMethod": call.operation.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": query or None,
        "multiValueQueryStringParameters": {name: [value] for name, value in query.items()} or None,
        "pathParameters": dict(call.path) if call.path else None,
        "stageVariables": None,
        "requestContext": {
            "authorizer": dict(caller),
            "httpMethod": call.operation.method,
            "identity": {"sourceIp": "127.0.0.1"},
            "path": f"/local{_path(call)}",
            "requestId": "r1",
            "resourcePath": call.operation.path,
            "stage": "local",
        },
        "body": body,
        "isBase64Encoded": False,
    }
