"""Which tests cite which statements, read from the tests' source."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

TESTS = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, order=True)
class Test:
    path: str  # below the folder of all tests
    name: str


def citations() -> dict[str, list[Test]]:
    """The tests that cite each id, in the order of their files."""
    found: dict[str, list[Test]] = {}
    for path in sorted(TESTS.rglob("test_*.py")):
        source = path.read_text()
        if "cites(" in source:
            for name, ids in _cited(ast.parse(source)):
                for each in ids:
                    found.setdefault(each, []).append(Test(path.relative_to(TESTS).as_posix(), name))
    return found


def _cited(tree: ast.Module) -> Iterator[tuple[str, list[str]]]:
    """Each test with the ids that its decorators cite, those of its single cases too."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name.startswith("test_"):
            calls = [call for decorator in function.decorator_list for call in _calls(decorator)]
            yield function.name, [ast.literal_eval(argument) for call in calls for argument in call.args]


def _calls(decorator: ast.expr) -> Iterator[ast.Call]:
    for node in ast.walk(decorator):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "cites":
            yield node
