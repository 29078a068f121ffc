"""The whole document: the source, with what the tables know."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from chalicelib.admin.openapi.errors import (
    error_responses,
    examples,
    gateway_responses,
    headers_of,
    references,
)
from chalicelib.admin.openapi.job_types import list_example, submit_examples, unknown_type
from chalicelib.admin.openapi.schemas import wire_schemas
from chalicelib.admin.openapi.source import agree, particular
from chalicelib.job_types import JOB_TYPES
from chalicelib.web.operations import LIST_JOB_TYPES, OPERATIONS, SUBMIT_JOB, Operation
from chalicelib.web.problems import CATALOGUE

SOURCE = Path(__file__).with_name("source.yml")
GENERATED = (
    "# Generated: `python -m chalicelib.admin openapi`. Its sources are named in chalicelib/admin/openapi.\n"
)
LAMBDA = (
    "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/"
    "arn:aws:lambda:us-east-1:123456789012:function"
)
# The longest that API Gateway waits; the function gives up a second earlier.
TIMEOUT_MILLISECONDS = 29_000
INTEGRATION = {
    "type": "aws_proxy",
    "httpMethod": "POST",
    "uri": f"{LAMBDA}:api_handler/invocations",
    "timeoutInMillis": TIMEOUT_MILLISECONDS,
}
_X = "x-amazon-apigateway"


def specification(operations: Mapping[str, Operation] = OPERATIONS) -> dict[str, Any]:
    """The OpenAPI 3.0.3 document of these operations."""
    source = yaml.safe_load(SOURCE.read_text())
    described = {each["operationId"]: each for item in source["paths"].values() for each in item.values()}
    agree("web/operations.py", described.keys() ^ operations.keys())
    _job_type_examples(described)
    source[f"{_X}-gateway-responses"] = gateway_responses()
    components = source["components"]
    source["paths"] = _paths(described, operations, required=_required_headers(components["parameters"]))
    del source["x-examples"]
    told = particular(source.pop("x-problem-examples"), operations)
    components["examples"] = examples({**told, "unknown_job_type": {"detail": unknown_type(JOB_TYPES)}})
    components["schemas"] = wire_schemas(source.pop("x-members"))
    components["schemas"]["Problem"]["properties"]["code"].update(_codes())
    _scopes(components["securitySchemes"]["oauth"], operations)
    for kind in ("schemas", "headers", "parameters", "examples"):
        components[kind] = _used(components[kind], kind, source)
    return dict(source)


def text(document: Mapping[str, Any]) -> str:
    """The document as the file holds it."""
    return GENERATED + yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=110, allow_unicode=True)


def _job_type_examples(described: Mapping[str, Any]) -> None:
    """The job types' own examples, where the source has no word of them."""
    submit = described[SUBMIT_JOB.id]["requestBody"]["content"]["application/json"]
    submit["examples"] = {**submit_examples(JOB_TYPES), **submit["examples"]}
    listed = described[LIST_JOB_TYPES.id]["responses"]["200"]["content"]["application/json"]
    listed["example"] = list_example(JOB_TYPES)


def _codes() -> dict[str, Any]:
    """Today's codes; a client takes another for what its status says, so that a release may add one."""
    return {"enum": sorted(CATALOGUE), "x-open-enum": True}


class _Dumper(yaml.SafeDumper):
    """Without anchors: the document is read by people, who would have to look for what they stand for."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _paths(
    described: Mapping[str, Any], operations: Mapping[str, Operation], *, required: frozenset[str]
) -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for operation in operations.values():
        made = _operation(operation, described[operation.id])
        if any(each.get("$ref") in required for each in made.get("parameters", ())):
            made[f"{_X}-request-validator"] = "parameters"
        paths.setdefault(operation.path, {})[operation.method.lower()] = made
    for item in paths.values():
        # What the path does not have is answered 405 by a function, with the methods that it has.
        item[f"{_X}-any-method"] = {"security": [], f"{_X}-integration": INTEGRATION}
    return paths


def _required_headers(parameters: Mapping[str, Any]) -> frozenset[str]:
    """References to the parameters that the gateway is to check; a path's are there or it is another path."""
    return frozenset(
        f"#/components/parameters/{name}"
        for name, parameter in parameters.items()
        if parameter.get("required") and parameter["in"] != "path"
    )


def _operation(operation: Operation, described: Mapping[str, Any]) -> dict[str, Any]:
    responses = {
        status: {**response, "headers": {**references(headers_of(operation)), **response.get("headers", {})}}
        for status, response in described["responses"].items()
    }
    for status, response in error_responses(operation).items():
        own = responses.get(status, {})
        responses[status] = {**response, **own, "content": {**own.get("content", {}), **response["content"]}}
    return {
        **described,
        **({"deprecated": True} if operation.deprecation else {}),
        "security": [{"token": [], "metering": [], "oauth": [operation.scope]}] if operation.scope else [],
        "responses": dict(sorted(responses.items())),
        f"{_X}-integration": INTEGRATION,
    }


def _used(named: Mapping[str, Any], kind: str, document: Any) -> dict[str, Any]:
    """Those that an operation leads to, by whatever way."""
    found: set[str] = set()
    open_names = _referred(kind, document["paths"])
    while open_names:
        found |= open_names
        open_names = _referred(kind, [named.get(name) for name in open_names]) - found
    # An unknown name stays unknown, for the linters to say.
    return {name: each for name, each in named.items() if name in found}


def _referred(kind: str, value: Any) -> set[str]:
    """The names of components of the kind that stand in the value."""
    if isinstance(value, str):
        before, _, name = value.partition(f"#/components/{kind}/")
        return {name} if name and not before else set()
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return set().union(*(_referred(kind, each) for each in inner))


def _scopes(scheme: dict[str, Any], operations: Mapping[str, Operation]) -> None:
    """Each scope, with the operations that ask for it."""
    asked: dict[str, list[str]] = {}
    for operation in operations.values():
        if operation.scope:
            asked.setdefault(operation.scope, []).append(operation.id)
    told = {scope: ", ".join(asked[scope]) for scope in sorted(asked)}
    scheme["flows"]["clientCredentials"]["scopes"] = told
