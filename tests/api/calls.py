"""A call of each operation, as openapi.yml's own examples write it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from tests.api.contract import Contract


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request; the body is JSON, or a form if `is_form`. Without a scope it needs no credential."""

    operation_id: str
    method: str
    path: str
    scope: str | None
    headers: Mapping[str, str]
    media_type: str | None
    body: Any

    @property
    def content(self) -> dict[str, Any]:
        """The body as httpx takes it."""
        if self.media_type is None:
            return {}
        return {"json": self.body} if self.media_type == "application/json" else {"data": self.body}

    def of_job(self, job_id: str) -> "Call":
        """The same call, of another job than the example's."""
        return replace(self, path=re.sub(r"job_[0-9A-Z]{26}", job_id, self.path))


def calls(contract: Contract) -> Iterator[Call]:
    """One for each example of a request; one for each operation that has none."""
    for path, item in contract.document["paths"].items():
        for method, operation in item.items():
            if "operationId" in operation:
                yield from _calls(contract, path, method, operation)


def _calls(contract: Contract, path: str, method: str, operation: Mapping[str, Any]) -> Iterator[Call]:
    parameters = [contract.resolved(each) for each in operation.get("parameters", ())]
    by_name = {each["name"]: str(each["example"]) for each in parameters if each["in"] == "path"}
    headers = {each["name"]: str(each["example"]) for each in parameters if each["in"] == "header"}
    call = Call(
        operation_id=operation["operationId"],
        method=method.upper(),
        path=re.sub(r"\{(\w+)\}", lambda found: by_name[found[1]], path),
        scope=next((each["oauth"][0] for each in operation["security"]), None),
        headers={name: headers[name] for name in headers if _is_required(parameters, name)},
        media_type=None,
        body=None,
    )
    content = operation.get("requestBody", {}).get("content", {})
    if not content:
        yield call
    for media_type, each in content.items():
        for body in (
            [each["example"]] if "example" in each else [e["value"] for e in each["examples"].values()]
        ):
            yield replace(call, media_type=media_type, body=body)


def _is_required(parameters: list[Mapping[str, Any]], name: str) -> bool:
    return any(each["name"] == name and each.get("required") for each in parameters)
