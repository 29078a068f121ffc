"""A change that a client of the last release may not survive is named; one that it cannot notice passes."""

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from chalicelib.admin.__main__ import app
from chalicelib.admin.compatibility import releases
from chalicelib.admin.compatibility.operations import breaking_changes
from chalicelib.admin.compatibility.releases import AcceptedChange, verdict
from chalicelib.admin.compatibility.rules import Rule

RELEASED: dict[str, Any] = yaml.safe_load("""
info: {version: 1.0.0}
security: [{token: [read]}]
paths:
  /items:
    get:
      operationId: listItems
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100, default: 20}}
        - {name: X-Trace, in: header, schema: {type: string, maxLength: 64}}
      responses:
        "200":
          headers:
            ETag: {required: true, schema: {type: string, maxLength: 64}}
          content:
            application/json:
              schema: {$ref: "#/components/schemas/Item"}
            text/plain:
              schema: {type: string, maxLength: 99}
        "404": {$ref: "#/components/responses/NotFound"}
        "503": {$ref: "#/components/responses/NotFound"}
    post:
      operationId: addItem
      security: []
      requestBody:
        content:
          application/json: {schema: {$ref: "#/components/schemas/Wanted"}}
          application/cbor: {schema: {$ref: "#/components/schemas/Wanted"}}
      responses:
        "201": {content: {application/json: {schema: {$ref: "#/components/schemas/Shape"}}}}
components:
  securitySchemes:
    token: {type: http, scheme: bearer}
    key: {type: apiKey, in: header, name: X-Key}
  responses:
    NotFound:
      content:
        application/problem+json:
          schema: {type: object, properties: {code: {type: string, maxLength: 64}}}
          examples:
            item: {value: {code: item_not_found, title: Not found, retryable: false}}
            list: {value: {code: list_not_found}}
  schemas:
    Item:
      type: object
      additionalProperties: false
      required: [id, state, size]
      properties:
        id: {type: string, pattern: "^[a-z]+$", maxLength: 9}
        state: {type: string, enum: [new, done]}
        size: {type: integer, format: int32, minimum: 0, maximum: 9}
        note: {type: string, maxLength: 9}
        tags: {type: array, maxItems: 9, items: {type: string, maxLength: 9}}
        at: {type: object, additionalProperties: {type: string, maxLength: 9}}
        kind: {type: string, maxLength: 9, enum: [plain], x-open-enum: true}
    Wanted:
      type: object
      additionalProperties: false
      required: [name]
      properties:
        name: {type: string, nullable: true, maxLength: 9}
        size: {type: integer, format: int64, minimum: 1, maximum: 9, default: 3}
        color: {type: string, enum: [red, blue]}
        extra: {type: object}
        shape: {$ref: "#/components/schemas/Shape"}
    Shape:
      oneOf: [{$ref: "#/components/schemas/Circle"}, {$ref: "#/components/schemas/Square"}]
    Circle: {type: object, additionalProperties: false, properties: {radius: {type: number}}}
    Square: {type: object, additionalProperties: false, properties: {side: {type: number}}}
    Line: {type: object, additionalProperties: false, properties: {length: {type: number}}}
""")

GONE = object()
REASON = "An empty name was refused since 1.0.0."
LIST, ADD = "GET /items", "POST /items"
LIST_JSON, ADD_BODY = f"{LIST} 200 application/json#", f"{ADD} body application/json#"
# The rest of the places, as the steps from the document's top.
GET, POST = "paths /items get", "paths /items post"
ANSWER, NOT_FOUND = f"{GET} responses 200", "components responses NotFound content application/problem+json"
ITEM, WANTED = "components schemas Item", "components schemas Wanted"
TEXT = {"type": "string", "maxLength": 9}
CIRCLE, SQUARE, LINE = ({"$ref": f"#/components/schemas/{name}"} for name in ("Circle", "Square", "Line"))


def changed(document: dict[str, Any], place: str, value: object, *, version: str = "1.1.0") -> dict[str, Any]:
    """The document with another value at the place, or without the place, under another version."""
    made: Any = copy.deepcopy(document)
    made["info"]["version"] = version
    *steps, last = place.split()
    at: Any = made
    for step in steps:
        at = at[int(step)] if isinstance(at, list) else at[step]
    key: Any = int(last) if isinstance(at, list) else last
    if value is GONE:
        del at[key]
    elif isinstance(at, list):
        at[key : key + 1] = [value]
    else:
        at[key] = value
    return dict(made)


# The rule, the place and what is there now, and where the rule must find it.
SEEDED: tuple[tuple[Rule, str, object, str], ...] = (
    (Rule.OPERATION_REMOVED, "paths /items", {}, LIST),
    (Rule.OPERATION_REMOVED, GET, GONE, LIST),
    (Rule.OPERATION_RENAMED, f"{GET} operationId", "getItems", LIST),
    (Rule.CREDENTIAL_ADDED, "security", [{"token": ["read", "write"]}], LIST),
    (Rule.CREDENTIAL_ADDED, "security", [{"token": ["read"], "key": []}], LIST),
    (Rule.CREDENTIAL_ADDED, f"{POST} security", GONE, ADD),
    (Rule.CREDENTIAL_ADDED, "components securitySchemes token scheme", "basic", LIST),
    (Rule.SUCCESS_CHANGED, f"{ANSWER}", GONE, f"{LIST} 200"),
    (
        Rule.SUCCESS_CHANGED,
        f"{GET} responses 206",
        {"$ref": "#/components/responses/NotFound"},
        f"{LIST} 206",
    ),
    (Rule.ERROR_REMOVED, f"{GET} responses 404", GONE, f"{LIST} 404"),
    (Rule.PROBLEM_REMOVED, f"{NOT_FOUND} examples list", GONE, f"{LIST} 404"),
    (Rule.PROBLEM_REMOVED, f"{NOT_FOUND} examples list value code", "no_list", f"{LIST} 404"),
    (Rule.PROBLEM_CHANGED, f"{NOT_FOUND} examples item value title", "Gone", f"{LIST} 404"),
    (Rule.PROBLEM_CHANGED, f"{NOT_FOUND} examples item value retryable", True, f"{LIST} 404"),
    (Rule.MEDIA_TYPE_REMOVED, f"{ANSWER} content text/plain", GONE, f"{LIST} 200 text/plain"),
    (
        Rule.MEDIA_TYPE_REMOVED,
        f"{POST} requestBody content application/cbor",
        GONE,
        f"{ADD} body application/cbor",
    ),
    (Rule.HEADER_REMOVED, f"{ANSWER} headers ETag", GONE, f"{LIST} 200 header.etag"),
    (Rule.HEADER_REMOVED, f"{ANSWER} headers ETag required", GONE, f"{LIST} 200 header.etag"),
    (Rule.BOUND, f"{ANSWER} headers ETag schema maxLength", 65, f"{LIST} 200 header.etag"),
    (Rule.ANSWER_FIELD_REMOVED, f"{ITEM} properties note", GONE, f"{LIST_JSON}/note"),
    (Rule.ANSWER_FIELD_REMOVED, f"{ITEM} required", ["id", "state"], f"{LIST_JSON}/size"),
    (Rule.REQUEST_PART_REMOVED, f"{GET} parameters 0", GONE, f"{LIST} query.limit"),
    (Rule.REQUEST_PART_REMOVED, f"{POST} requestBody", GONE, f"{ADD} body"),
    (Rule.REQUEST_PART_REMOVED, f"{WANTED} properties color", GONE, f"{ADD_BODY}/color"),
    (Rule.REQUEST_PART_REQUIRED, f"{GET} parameters 1 required", True, f"{LIST} header.x-trace"),
    (
        Rule.REQUEST_PART_REQUIRED,
        f"{GET} parameters 2",
        {"name": "Tenant", "in": "header", "required": True, "schema": TEXT},
        f"{LIST} header.tenant",
    ),
    (Rule.REQUEST_PART_REQUIRED, f"{POST} requestBody required", True, f"{ADD} body"),
    (Rule.REQUEST_PART_REQUIRED, f"{WANTED} required", ["name", "size"], f"{ADD_BODY}/size"),
    (Rule.REQUEST_CLOSED, f"{WANTED} properties extra additionalProperties", False, f"{ADD_BODY}/extra"),
    (Rule.DEFAULT_CHANGED, f"{GET} parameters 0 schema default", 50, f"{LIST} query.limit"),
    (Rule.DEFAULT_CHANGED, f"{WANTED} properties size default", GONE, f"{ADD_BODY}/size"),
    (Rule.TYPE, f"{ITEM} properties size type", "number", f"{LIST_JSON}/size"),
    (Rule.TYPE, f"{ITEM} properties note", {}, f"{LIST_JSON}/note"),
    (Rule.TYPE, f"{ITEM} properties at additionalProperties", True, f"{LIST_JSON}/at/*"),
    (Rule.TYPE, f"{WANTED} properties extra type", "string", f"{ADD_BODY}/extra"),
    (Rule.NULL, f"{ITEM} properties note nullable", True, f"{LIST_JSON}/note"),
    (Rule.NULL, f"{WANTED} properties name nullable", False, f"{ADD_BODY}/name"),
    (Rule.ENUM, f"{ITEM} properties state enum", ["new", "done", "lost"], f"{LIST_JSON}/state"),
    (Rule.ENUM, f"{ITEM} properties state enum", GONE, f"{LIST_JSON}/state"),
    (Rule.ENUM, f"{ITEM} properties state x-open-enum", True, f"{LIST_JSON}/state"),
    (Rule.ENUM, f"{WANTED} properties color enum", ["red"], f"{ADD_BODY}/color"),
    (Rule.ENUM, f"{WANTED} properties color maxLength", 3, f"{ADD_BODY}/color"),
    (Rule.ENUM, f"{WANTED} properties name enum", ["one", "two"], f"{ADD_BODY}/name"),
    (Rule.BOUND, f"{ITEM} properties size maximum", 10, f"{LIST_JSON}/size"),
    (Rule.BOUND, f"{ITEM} properties tags items maxLength", 10, f"{LIST_JSON}/tags/*"),
    (Rule.BOUND, f"{ITEM} properties at additionalProperties maxLength", 10, f"{LIST_JSON}/at/*"),
    (Rule.BOUND, f"{WANTED} properties size maximum", 8, f"{ADD_BODY}/size"),
    (Rule.BOUND, f"{WANTED} properties size minimum", 2, f"{ADD_BODY}/size"),
    (Rule.BOUND, f"{WANTED} properties name minLength", 1, f"{ADD_BODY}/name"),
    (Rule.BOUND, f"{GET} parameters 0 schema maximum", 50, f"{LIST} query.limit"),
    (Rule.CONSTRAINT, f"{ITEM} properties id pattern", "^[a-z0-9]+$", f"{LIST_JSON}/id"),
    (Rule.CONSTRAINT, f"{ITEM} properties id pattern", GONE, f"{LIST_JSON}/id"),
    (Rule.CONSTRAINT, f"{ITEM} properties size format", "int64", f"{LIST_JSON}/size"),
    (Rule.CONSTRAINT, f"{WANTED} properties size format", "int32", f"{ADD_BODY}/size"),
    (Rule.CONSTRAINT, f"{WANTED} properties name pattern", "^[a-z]+$", f"{ADD_BODY}/name"),
    (Rule.CONSTRAINT, f"{GET} parameters 0 style", "pipeDelimited", f"{LIST} query.limit"),
    (Rule.ALTERNATIVE, f"{WANTED} properties shape", {"oneOf": [CIRCLE, LINE]}, f"{ADD_BODY}/shape"),
    (
        Rule.ALTERNATIVE,
        f"{POST} responses 201 content application/json schema",
        {"oneOf": [CIRCLE, SQUARE, LINE]},
        f"{ADD} 201 application/json#",
    ),
    (
        Rule.REQUEST_PART_REMOVED,
        f"{WANTED} properties shape",
        CIRCLE,
        f"{ADD_BODY}/shape(Square)/side",
    ),
)

ADDITIVE = {
    "an operation": ("paths /more", {"get": {"operationId": "more", "responses": {"200": {}}}}),
    "an optional parameter": (f"{GET} parameters 2", {"name": "after", "in": "query", "schema": TEXT}),
    "an optional field in a request": (f"{WANTED} properties weight", {"type": "integer"}),
    "a field in an answer": (f"{ITEM} properties weight", {"type": "integer"}),
    "a field that is always in an answer": (f"{ITEM} required", ["id", "state", "size", "note"]),
    "a field no longer required in a request": (f"{WANTED} required", []),
    "a header in an answer": (f"{ANSWER} headers Age", {"required": True, "schema": TEXT}),
    "a media type in an answer": (f"{ANSWER} content text/html", {"schema": TEXT}),
    "a wider bound in a request": (f"{WANTED} properties size maximum", 10),
    "a bound fewer in a request": (f"{WANTED} properties name maxLength", GONE),
    "a format fewer in a request": (f"{WANTED} properties size format", GONE),
    "a narrower bound in an answer": (f"{ITEM} properties size maximum", 8),
    "a constraint in an answer": (f"{ITEM} properties size multipleOf", 3),
    "a value in a request": (f"{WANTED} properties color enum", ["red", "blue", "green"]),
    "a value fewer in an answer": (f"{ITEM} properties state enum", ["done"]),
    "a value in an open set of an answer": (f"{ITEM} properties kind enum", ["plain", "fine"]),
    "named fields for an answer's map": (
        f"{ITEM} properties at",
        {"type": "object", "additionalProperties": False, "properties": {"noon": TEXT}},
    ),
    "an alternative in a request": (f"{WANTED} properties shape", {"oneOf": [LINE, SQUARE, CIRCLE]}),
    "an alternative fewer in an answer": (
        f"{POST} responses 201 content application/json schema",
        {"oneOf": [SQUARE]},
    ),
    "a schema in place of its allOf": (
        f"{WANTED} properties shape",
        {"allOf": [{"oneOf": [CIRCLE, SQUARE]}]},
    ),
    "a default": (f"{WANTED} properties color default", "red"),
    "a description": (f"{WANTED} description", "What is wanted"),
    "a 304": (f"{GET} responses 304", {}),
    "an error status": (f"{GET} responses 429", {"$ref": "#/components/responses/NotFound"}),
    "a server error fewer": (f"{GET} responses 503", GONE),
    "a problem's code": (f"{NOT_FOUND} examples page", {"value": {"code": "page_not_found"}}),
    "no credential": (f"{GET} security", []),
    "another credential to choose": ("security", [{"key": []}, {"token": ["read"]}]),
    "a scope fewer": ("security", [{"token": []}]),
    "a header in other case": (f"{GET} parameters 1 name", "x-trace"),
}


@pytest.mark.parametrize(("rule", "place", "value", "where"), SEEDED)
def test_the_rule_names_the_place_when_a_change_is_breaking(
    rule: Rule, place: str, value: object, where: str
) -> None:
    found = breaking_changes(RELEASED, changed(RELEASED, place, value))
    assert where in {finding.where for finding in found}
    assert {finding.rule for finding in found} == {rule}


@pytest.mark.parametrize("addition", ADDITIVE)
def test_nothing_is_found_when_a_change_is_additive(addition: str) -> None:
    assert breaking_changes(RELEASED, changed(RELEASED, *ADDITIVE[addition])) == ()


@pytest.mark.parametrize("version", ["1.0.0", "0.9.9"])
def test_the_version_is_found_when_the_document_differs_and_it_does_not_rise(version: str) -> None:
    (found,) = breaking_changes(RELEASED, changed(RELEASED, f"{WANTED} description", "?", version=version))
    assert (found.rule, found.detail) == (Rule.VERSION, f"1.0.0 → {version}")


def test_every_rule_is_seeded_when_one_is_added() -> None:
    assert {rule for rule, *_ in SEEDED} | {Rule.VERSION} == set(Rule)


@pytest.mark.parametrize("copied", sorted(releases.RELEASES.glob("[0-9]*.yml")), ids=lambda path: path.stem)
def test_a_release_breaks_nothing_when_it_is_compared_with_itself(copied: Path) -> None:
    document = releases.load_document(copied)
    assert document["info"]["version"] == copied.stem
    assert breaking_changes(document, copy.deepcopy(document)) == ()


def test_the_specification_keeps_what_the_last_release_promised() -> None:
    last = releases.load_document(releases.last_release())
    today = releases.load_document(releases.SPECIFICATION)
    assert str(verdict(last, today, releases.load_accepted())) == ""


def test_a_finding_is_no_more_when_it_is_accepted() -> None:
    today = changed(RELEASED, f"{WANTED} properties name minLength", 1)
    accepted = AcceptedChange(
        rule=Rule.BOUND, where="POST /items body *#/name", detail="minLength: none → 1", reason=REASON
    )
    assert verdict(RELEASED, today, (accepted,)).is_compatible


def test_an_acceptance_covers_no_other_change_when_its_place_changes_again() -> None:
    today = changed(RELEASED, f"{WANTED} properties name minLength", 2)
    accepted = AcceptedChange(
        rule=Rule.BOUND, where="POST /items body *#/name", detail="minLength: none → 1", reason=REASON
    )
    judged = verdict(RELEASED, today, (accepted,))
    assert {finding.detail for finding in judged.findings} == {"minLength: none → 2"}
    assert judged.stale == (accepted,)


@pytest.mark.parametrize(
    ("rule", "where"), [(Rule.ENUM, "POST /items body *#/name"), (Rule.BOUND, "POST /items body *#/names")]
)
def test_an_acceptance_is_stale_when_it_covers_nothing(rule: Rule, where: str) -> None:
    accepted = AcceptedChange(rule=rule, where=where, detail="*", reason=REASON)
    judged = verdict(RELEASED, RELEASED, (accepted,))
    assert str(judged) == f"accepted, and not found: {rule}: {where}: *"
    assert not judged.is_compatible


def test_the_command_fails_and_names_the_change_when_an_operation_is_gone(tmp_path: Path) -> None:
    today = releases.load_document(releases.SPECIFICATION)
    more = {"get": {"operationId": "more", "responses": {"200": {"description": "More."}}}}
    release = tmp_path / "release.yml"
    release.write_text(yaml.safe_dump(changed(today, "paths /v1/more", more, version="1.0.0")))
    ran = CliRunner().invoke(app, ["compatible", "--against", str(release)])
    assert ran.exit_code == 1
    assert "operation-removed: GET /v1/more: goes" in ran.output.splitlines()
