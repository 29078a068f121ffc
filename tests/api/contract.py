"""openapi.yml as a judge: is this answer one that the specification allows for this request?"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import httpx
from openapi_schema_validator import OAS30ReadValidator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

PROBLEM_JSON = "application/problem+json"
_DOCUMENT = "urn:zama-jobs"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch")


class Contract:
    """Raises AssertionError for an answer that is not in the document, saying what it is."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        # A schema is looked at by itself, so its references have to name the document.
        self.document = json.loads(
            json.dumps(document).replace('"#/components/', f'"{_DOCUMENT}#/components/')
        )
        self._registry = Registry().with_resource(_DOCUMENT, Resource.from_contents(self.document, DRAFT4))
        self._paths = [(_pattern(path), item) for path, item in self.document["paths"].items()]

    def operations(self) -> Iterator[Mapping[str, Any]]:
        """Every operation of the document."""
        for _, item in self._paths:
            yield from (item[method] for method in _METHODS if method in item)

    def documented_codes(self, operation: Mapping[str, Any], status: int) -> frozenset[str]:
        """The problems that an operation has an example of, in its response of that status."""
        response = operation["responses"].get(str(status), {})
        return frozenset(response.get("content", {}).get(PROBLEM_JSON, {}).get("examples", {}))

    def check(self, method: str, path: str, response: httpx.Response) -> None:
        """Nothing, if the operation that the path and the method name has this answer."""
        operation = self.operation_of(method, path)
        if operation is None:
            self._check_problem(response)
            return
        name = operation["operationId"]
        status = str(response.status_code)
        assert status in operation["responses"], f"{name} answered {status}, which openapi.yml does not list"
        documented = operation["responses"][status]
        self._check_headers(f"{name} {status}", documented.get("headers", {}), response)
        media_type = response.headers.get("content-type", "").partition(";")[0]
        content = documented.get("content", {})
        assert content or not response.content, f"{name} {status} has a body, and openapi.yml none"
        if not content:
            return
        assert media_type in content, f"{name} {status} is {media_type}, which openapi.yml does not list"
        body = response.text if media_type == "text/html" else json.loads(response.content)
        self.validate(body, content[media_type]["schema"], f"{name} {status}")
        if media_type == PROBLEM_JSON:
            assert body["code"] in content[media_type]["examples"], (
                f"{name} {status} has the code {body['code']}, which openapi.yml does not list there"
            )

    def operation_of(self, method: str, path: str) -> Mapping[str, Any] | None:
        """The operation that answers; literal paths come before templates, as in the gateway."""
        found = [item for pattern, item in self._paths if pattern.fullmatch(path)]
        for item in found[:1]:
            operation: Mapping[str, Any] | None = item.get(method.lower())
            return operation
        return None

    def validate(self, value: Any, schema: Mapping[str, Any], where: str) -> None:
        """Nothing, if the value is of the schema."""
        validator = OAS30ReadValidator(
            schema, registry=self._registry, format_checker=OAS30ReadValidator.FORMAT_CHECKER
        )
        errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]
        assert not errors, f"{where}: {'; '.join(errors)}"

    def resolved(self, value: Mapping[str, Any]) -> Mapping[str, Any]:
        """The value, or what its reference stands for."""
        if "$ref" not in value:
            return value
        found: Any = self.document
        for part in value["$ref"].removeprefix(f"{_DOCUMENT}#/").split("/"):
            found = found[part]
        return self.resolved(found)

    def _check_headers(self, where: str, documented: Mapping[str, Any], response: httpx.Response) -> None:
        for name, each in documented.items():
            header = self.resolved(each)
            assert not header.get("required") or name in response.headers, f"{where} has no {name}"
            if name in response.headers:
                text = response.headers[name]
                value = int(text) if header["schema"]["type"] == "integer" else text
                self.validate(value, header["schema"], f"{where}, {name}")

    def _check_problem(self, response: httpx.Response) -> None:
        """What no operation answers is a problem all the same."""
        assert response.status_code in (404, 405, 413, 429, 500), response.status_code
        if response.request.method != "HEAD":
            assert response.headers["content-type"] == PROBLEM_JSON
            schema = {"$ref": f"{_DOCUMENT}#/components/schemas/Problem"}
            self.validate(json.loads(response.content), schema, str(response.status_code))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))
