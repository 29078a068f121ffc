"""Compares two specifications operation by operation: what is asked of a client, and what it may count on."""

from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.admin.compatibility.document import Json, resolved
from chalicelib.admin.compatibility.rules import Breaking, Rule
from chalicelib.admin.compatibility.schemas import Side, compared, default_change

_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
# How a parameter is written in the URL or the header, apart from its schema.
_SERIALIZATION = ("style", "explode", "allowReserved", "content")


def breaking_changes(then: Json, now: Json) -> tuple[Breaking, ...]:
    """Every change from one document to the other that a client of the first may not survive."""
    old, new = resolved(then), resolved(now)
    found = [*_version(old, new)]
    operations = _operations(new)
    for name, operation in _operations(old).items():
        if name in operations:
            found += _operation(name, operation, operations[name])
        else:
            found.append(Breaking(Rule.OPERATION_REMOVED, name, "goes"))
    return tuple(found)


def _version(then: Json, now: Json) -> Iterator[Breaking]:
    old, new = (str(document["info"]["version"]) for document in (then, now))
    if then != now and version_key(new) <= version_key(old):
        yield Breaking(Rule.VERSION, "info.version", f"{old} → {new}")


def version_key(version: str) -> tuple[int, ...]:
    """Orders versions as numbers.

    >>> version_key("1.10.0") > version_key("1.9.0")
    True
    """
    return tuple(int(part) for part in version.split("."))


def _operations(document: Json) -> dict[str, Json]:
    """Each operation under its method and path, with what its path and the document say for it."""
    schemes = document.get("components", {}).get("securitySchemes", {})
    found = {}
    for path, item in document["paths"].items():
        for method in item.keys() & {*_METHODS}:
            operation = item[method]
            parameters = {**_parameters(item), **_parameters(operation)}
            security = operation.get("security", document.get("security", []))
            credentials = [_credentials(requirement, schemes) for requirement in security] or [frozenset()]
            found[f"{method.upper()} {path}"] = {
                **operation,
                "parameters": parameters,
                "security": credentials,
            }
    return found


def _parameters(owner: Json) -> dict[str, Json]:
    """Under where and how the wire names them: headers are alike in any case."""
    named = {}
    for parameter in owner.get("parameters", ()):
        name = parameter["name"].lower() if parameter["in"] == "header" else parameter["name"]
        named[f"{parameter['in']}.{name}"] = parameter
    return named


def _credentials(requirement: Mapping[str, list[str]], schemes: Json) -> frozenset[str]:
    """What a client must present, by what is seen of it on the wire and not by the scheme's name."""
    needed = set()
    for name, scopes in requirement.items():
        scheme = schemes[name]
        kind = " ".join(str(scheme[key]) for key in ("type", "in", "name", "scheme") if key in scheme)
        needed |= {kind, *(f"{kind} with the scope {scope}" for scope in scopes)}
    return frozenset(needed)


def _operation(name: str, then: Json, now: Json) -> Iterator[Breaking]:
    if then.get("operationId") != now.get("operationId"):
        yield Breaking(Rule.OPERATION_RENAMED, name, f"{then.get('operationId')} → {now.get('operationId')}")
    for credentials in then["security"]:
        if not any(needed <= credentials for needed in now["security"]):
            missing = min((sorted(needed - credentials) for needed in now["security"]), key=len)
            yield Breaking(Rule.CREDENTIAL_ADDED, name, f"needs {', '.join(missing)}")
    yield from _request_parameters(name, then["parameters"], now["parameters"])
    yield from _request_body(name, then.get("requestBody", {}), now.get("requestBody", {}))
    yield from _answers(name, then["responses"], now["responses"])


def _request_parameters(name: str, then: Json, now: Json) -> Iterator[Breaking]:
    for key, parameter in now.items():
        if parameter.get("required") and not then.get(key, {}).get("required"):
            yield Breaking(Rule.REQUEST_PART_REQUIRED, f"{name} {key}", "is required")
    for key, old in then.items():
        where = f"{name} {key}"
        if key not in now:
            yield Breaking(Rule.REQUEST_PART_REMOVED, where, "goes")
            continue
        new = now[key]
        for aspect in _SERIALIZATION:
            if old.get(aspect) != new.get(aspect):
                detail = f"{aspect}: {old.get(aspect)} → {new.get(aspect)}"
                yield Breaking(Rule.CONSTRAINT, where, detail)
        yield from default_change(old.get("schema", {}), new.get("schema", {}), where=where)
        yield from compared(old.get("schema", {}), new.get("schema", {}), Side.REQUEST, where=where)


def _request_body(name: str, then: Json, now: Json) -> Iterator[Breaking]:
    where = f"{name} body"
    if then and not now:
        yield Breaking(Rule.REQUEST_PART_REMOVED, where, "goes")
        return
    if now.get("required") and not then.get("required"):
        yield Breaking(Rule.REQUEST_PART_REQUIRED, where, "is required")
    yield from _content(where, then, now, Side.REQUEST)


def _content(where: str, then: Json, now: Json, side: Side) -> Iterator[Breaking]:
    offered = now.get("content", {})
    for media_type, old in then.get("content", {}).items():
        if media_type not in offered:
            yield Breaking(Rule.MEDIA_TYPE_REMOVED, f"{where} {media_type}", "goes")
            continue
        new = offered[media_type]
        place = f"{where} {media_type}#"
        yield from compared(old.get("schema", {}), new.get("schema", {}), side, where=place)


def _answers(name: str, then: Json, now: Json) -> Iterator[Breaking]:
    for status in sorted(then.keys() - now.keys()):
        if not status.startswith("5"):
            rule = Rule.ERROR_REMOVED if status.startswith("4") else Rule.SUCCESS_CHANGED
            yield Breaking(rule, f"{name} {status}", "goes")
    for status in sorted(now.keys() - then.keys() - {"304"}):
        if status.startswith(("2", "3")):
            yield Breaking(Rule.SUCCESS_CHANGED, f"{name} {status}", "comes")
    for status in sorted(then.keys() & now.keys()):
        yield from _answer(f"{name} {status}", then[status], now[status])
        if status.startswith("4"):
            yield from _problems(f"{name} {status}", _shown(then[status]), _shown(now[status]))


def _answer(where: str, then: Json, now: Json) -> Iterator[Breaking]:
    headers = {name.lower(): header for name, header in now.get("headers", {}).items()}
    for name, old in then.get("headers", {}).items():
        place = f"{where} header.{name.lower()}"
        new = headers.get(name.lower())
        if new is None:
            yield Breaking(Rule.HEADER_REMOVED, place, "goes")
            continue
        if old.get("required") and not new.get("required"):
            yield Breaking(Rule.HEADER_REMOVED, place, "may be absent")
        yield from compared(old.get("schema", {}), new.get("schema", {}), Side.ANSWER, where=place)
    yield from _content(where, then, now, Side.ANSWER)


def _problems(where: str, then: Json, now: Json) -> Iterator[Breaking]:
    for code in sorted(then.keys() - now.keys()):
        yield Breaking(Rule.PROBLEM_REMOVED, where, f"{code} goes")
    for code in sorted(then.keys() & now.keys()):
        for member in ("title", "retryable"):
            if member in then[code] and then[code][member] != now[code].get(member):
                detail = f"{code}: {member}: {then[code][member]} → {now[code].get(member)}"
                yield Breaking(Rule.PROBLEM_CHANGED, where, detail)


def _shown(answer: Json) -> dict[str, Json]:
    """The problems that the answer's examples show, by their codes."""
    examples: list[Any] = []
    for content in answer.get("content", {}).values():
        examples.append(content.get("example"))
        examples += [example.get("value") for example in content.get("examples", {}).values()]
    return {each["code"]: each for each in examples if isinstance(each, dict) and "code" in each}
