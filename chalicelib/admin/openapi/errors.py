"""Every error of the specification, from the catalogue: an operation's responses, and the gateway's own."""

import json
from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any

from chalicelib.web.answers import ON_EVERY_ANSWER, PROBLEM_JSON
from chalicelib.web.operations import Operation, problems_of
from chalicelib.web.problem import GatewayAnswer, Problem
from chalicelib.web.problems import CATALOGUE

# Of a stack on its usual port; ids are made when it starts.
EXAMPLE_BASE_URL = "http://127.0.0.1:4566/_aws/execute-api/a1b2c3d4e5/local"
EXAMPLE_REQUEST_ID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
SHARED = ("Request-Id", *ON_EVERY_ANSWER, "RateLimit-Policy", "RateLimit")
DEPRECATED = ("Deprecation", "Sunset", "Link")


def error_responses(operation: Operation) -> dict[str, Any]:
    """The operation's responses of 400 and more, by status."""
    rows = sorted(
        (CATALOGUE[code] for code in problems_of(operation)), key=lambda row: (row.status, row.code)
    )
    return {
        str(status): _response(tuple(same), headers=headers_of(operation))
        for status, same in groupby(rows, key=lambda row: row.status)
    }


def headers_of(operation: Operation) -> tuple[str, ...]:
    """What every answer of the operation may carry."""
    return SHARED + (DEPRECATED if operation.deprecation else ())


def references(names: Iterable[str]) -> dict[str, Any]:
    """Headers by name, as the document's components have them."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def examples(particular: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """An example of every problem, by its code, with what is particular to it."""
    return {
        code: {"summary": row.title, "value": {**_example(row), **particular.get(code, {})}}
        for code, row in sorted(CATALOGUE.items())
    }


def gateway_responses() -> dict[str, Any]:
    """What the gateway answers by itself, by response type."""
    return {
        kind: _gateway_response(row, row.gateway)
        for row in CATALOGUE.values()
        if row.gateway is not None
        for kind in row.gateway.types
    }


def _response(rows: tuple[Problem, ...], *, headers: tuple[str, ...]) -> dict[str, Any]:
    more = []
    if any(row.retryable for row in rows):
        more.append("Retry-After")
    if any(row.status == 401 or row.code == "insufficient_scope" for row in rows):
        more.append("WWW-Authenticate")
    return {
        "description": " ".join(f"{row.title}: {row.advice}" for row in rows),
        "headers": references((*headers, *more)),
        "content": {
            PROBLEM_JSON: {
                "schema": {"$ref": "#/components/schemas/Problem"},
                "examples": {row.code: {"$ref": f"#/components/examples/{row.code}"} for row in rows},
            }
        },
    }


def _example(row: Problem) -> Mapping[str, Any]:
    return _document(row, base_url=EXAMPLE_BASE_URL, instance="/local/v1/jobs", request_id=EXAMPLE_REQUEST_ID)


def _gateway_response(row: Problem, answer: GatewayAnswer) -> dict[str, Any]:
    headers = {
        "Content-Type": f"'{PROBLEM_JSON}'",
        "Request-Id": "context.requestId",
        **{name: f"'{value}'" for name, value in ON_EVERY_ANSWER.items()},
        "RateLimit-Policy": "context.rateLimit.policy",
        "RateLimit": "context.rateLimit.limits",
        **({"Retry-After": answer.retry_after} if answer.retry_after else {}),
        **({"WWW-Authenticate": f"'{answer.challenge}'"} if answer.challenge else {}),
    }
    document = _document(
        row,
        base_url="$stageVariables.baseUrl",
        instance="$context.path",
        request_id="$context.requestId",
    )
    return {
        "statusCode": row.status,
        "responseParameters": {f"gatewayresponse.header.{name}": value for name, value in headers.items()},
        "responseTemplates": {"application/json": json.dumps(document)},
    }


def _document(row: Problem, *, base_url: str, instance: str, request_id: str) -> Mapping[str, Any]:
    return {
        "type": f"{base_url}/v1/problems/{row.code}",
        "title": row.title,
        "status": row.status,
        "detail": row.gateway.detail if row.gateway else row.advice,
        "instance": instance,
        "code": row.code,
        "request_id": request_id,
        "retryable": row.retryable,
    }
