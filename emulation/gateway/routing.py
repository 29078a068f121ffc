"""Which method a path and a verb belong to.

Imitated: a literal segment beats `{parameter}`, which beats the greedy `{proxy+}`; a verb beats ANY; a
trailing slash is ignored. Parameters are handed on as they came, percent-encoded.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

ANY = "ANY"
M = TypeVar("M")


@dataclass(frozen=True, slots=True)
class Route(Generic[M]):
    method: M
    path_parameters: Mapping[str, str]


@dataclass(slots=True)
class _Node(Generic[M]):
    methods: dict[str, M] = field(default_factory=dict)
    literals: "dict[str, _Node[M]]" = field(default_factory=dict)
    parameter: "tuple[str, _Node[M]] | None" = None
    greedy: "tuple[str, _Node[M]] | None" = None


class RoutingTable(Generic[M]):
    """Finds a method by path and verb; never changes once built.

    >>> jobs = [("/jobs", "GET", "list"), ("/jobs/{id}", "ANY", "any")]
    >>> table = RoutingTable([*jobs, ("/{proxy+}", "GET", "rest")])
    >>> table.match("/jobs/", "GET").method
    'list'
    >>> table.match("/jobs/7", "PUT").path_parameters
    {'id': '7'}
    >>> table.match("/a/b", "GET").path_parameters
    {'proxy': 'a/b'}
    >>> table.match("/jobs", "PUT") is None
    True
    """

    __slots__ = ("_root",)

    def __init__(self, methods: "list[tuple[str, str, M]]") -> None:
        self._root: _Node[M] = _Node()
        for path, verb, method in methods:
            self._node_at(path).methods[verb] = method

    def match(self, path: str, verb: str) -> Route[M] | None:
        """The method and the path's parameters, or None if no matching resource knows the verb."""
        segments = _segments(path)
        for node, parameters in _candidates(self._root, segments, 0):
            method = node.methods.get(verb) or node.methods.get(ANY)
            if method is not None:
                return Route(method, parameters)
        return None

    def _node_at(self, template: str) -> _Node[M]:
        node = self._root
        for segment in _segments(template):
            if segment.startswith("{") and segment.endswith("+}"):
                node.greedy = node.greedy or (segment[1:-2], _Node())
                node = node.greedy[1]
            elif segment.startswith("{") and segment.endswith("}"):
                node.parameter = node.parameter or (segment[1:-1], _Node())
                node = node.parameter[1]
            else:
                node = node.literals.setdefault(segment, _Node())
        return node


def canonical(path: str) -> str:
    """The path as it is routed, the same for all its spellings: decoded, but for slashes within a segment.

    >>> canonical("/%61dmin/"), canonical("/jobs/a%2fb")
    ('admin', 'jobs/a%2Fb')
    """
    return "/".join(unquote(segment).replace("/", "%2F") for segment in _segments(path))


def _segments(path: str) -> list[str]:
    stripped = path.strip("/")
    return stripped.split("/") if stripped else []


def _candidates(node: _Node[M], segments: list[str], index: int) -> Iterator[tuple[_Node[M], dict[str, str]]]:
    """The resources that match, the most specific first."""
    if index == len(segments):
        yield node, {}
        return
    segment = segments[index]
    if literal := node.literals.get(unquote(segment)):
        yield from _candidates(literal, segments, index + 1)
    if node.parameter:
        name, child = node.parameter
        for found, parameters in _candidates(child, segments, index + 1):
            yield found, {name: segment, **parameters}
    if node.greedy:
        name, child = node.greedy
        yield child, {name: "/".join(segments[index:])}
