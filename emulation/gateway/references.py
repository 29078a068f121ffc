"""What an API's author writes where a request's own value shall stand, parsed once, at deployment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache

_REQUEST = "method.request."
_URI_REFERENCE = re.compile(r"\$\{stageVariables\.(?P<variable>\w+)\}|\{(?P<placeholder>[^{}$]+)\}")
_FUNCTION_URI = re.compile(
    r"arn:aws:apigateway:[^:]+:lambda:path/[^/]+/functions/"
    r"(?:(?:arn:aws:lambda:[^:]+:)?\d+:function:)?(?P<name>[\w-]+)(?::[\w$-]+)?(?:/invocations)?"
)


class Location(Enum):
    """Where a mapped value comes from."""

    HEADER = "header"
    QUERYSTRING = "querystring"
    PATH = "path"
    MULTI_VALUE_HEADER = "multivalueheader"
    MULTI_VALUE_QUERYSTRING = "multivaluequerystring"
    LITERAL = "literal"
    VARIABLE = "variable"  # `context.…` or `stageVariables.…`


@dataclass(frozen=True, slots=True)
class Source:
    """A mapped value's place: where, and the name (or the literal) there."""

    location: Location
    name: str


def source_of(expression: str) -> Source:
    """The place that a mapping expression names; ValueError if it names none. Bodies are not imitated.

    >>> source_of("method.request.path.id").location, source_of("'7'").name
    (<Location.PATH: 'path'>, '7')
    """
    if len(expression) >= 2 and expression[0] == expression[-1] == "'":
        return Source(Location.LITERAL, expression[1:-1])
    if expression.startswith(("context.", "stageVariables.")):
        return Source(Location.VARIABLE, expression)
    location, _, name = expression.removeprefix(_REQUEST).partition(".")
    known = {each.value for each in Location} - {"literal", "variable"}
    if not expression.startswith(_REQUEST) or location not in known or not name:
        raise ValueError(f"Invalid mapping expression specified: {expression}")
    return Source(Location(location), name)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestMapping:
    """An integration's request parameters, by where they go and the name there."""

    headers: Mapping[str, Source] = field(default_factory=dict)
    query: Mapping[str, Source] = field(default_factory=dict)
    path: Mapping[str, Source] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class UriTemplate:
    """A URI with `${stageVariables.name}` and `{name}` in it.

    >>> uri = uri_template("http://${stageVariables.host}/{id}/{rest}")
    >>> uri.filled({"host": "x"}, {"id": "7"})
    'http://x/7/{rest}'
    """

    literals: tuple[str, ...]  # around the references, one more than there are
    references: tuple[re.Match[str], ...]

    def filled(self, variables: Mapping[str, str], placeholders: Mapping[str, str]) -> str:
        """The URI; KeyError if it names a variable that is missing. A placeholder without a value stays."""
        text = self.literals[0]
        for reference, literal in zip(self.references, self.literals[1:], strict=True):
            variable = reference["variable"]
            if variable is not None:
                text += variables[variable] + literal
            else:
                text += placeholders.get(reference["placeholder"], reference[0]) + literal
        return text


def uri_template(uri: str) -> UriTemplate:
    """The URI, parsed."""
    references = tuple(_URI_REFERENCE.finditer(uri))
    ends = [0, *(each.end() for each in references)]
    starts = [*(each.start() for each in references), len(uri)]
    return UriTemplate(tuple(uri[end:start] for end, start in zip(ends, starts, strict=True)), references)


@lru_cache(maxsize=1024)  # as many as there are functions, each asked for at every request
def function_named(uri: str) -> str | None:
    """The function that a Lambda URI names by its ARN, a partial one or its bare name; aliases are ignored.

    >>> function_named("arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/hello:prod/invocations")
    'hello'
    """
    found = _FUNCTION_URI.fullmatch(uri)
    return found["name"] if found else None
