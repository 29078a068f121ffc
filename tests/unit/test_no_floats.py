"""No float touches money: a static check of every module that handles it, found by what it is called there.

A name with `micros`, `wei` or `gas` in it is money, or becomes some. What else such a module does may need
floats, as a clock does: so what is looked at is each function or statement that has such a name.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = tuple(f"chalicelib/{name}" for name in ("domain", "use_cases", "adapters", "web", "admin"))
# It shows means of measured gas, in no currency.
EXCEPTED = ROOT / "chalicelib/admin/gas_table.py"
MODULES = [
    *(ROOT / "chalicelib").glob("*.py"),
    *(path for folder in (*PARTS, "chalicelib/ports", "client") for path in (ROOT / folder).rglob("*.py")),
]
MONEY = re.compile(r"(^|_)(micros|wei|gas|price|prices|amount|amounts|subtotal|tax)(_|$)", re.IGNORECASE)
# What makes a float, or something that is not exact either.
CLASSES = {"float", "Decimal", "Fraction"}
INEXACT = CLASSES | {"round", "fsum", "fmean", "mean", "total_seconds", "timestamp", "math"}


def name_of(node: ast.AST) -> str:
    """The name that a node is, reads, sets or defines."""
    for attribute in ("id", "attr", "arg", "name"):
        found = getattr(node, attribute, None)
        if isinstance(found, str):
            return found
    return ""


def units(tree: ast.Module) -> Iterator[ast.stmt]:
    """The functions, with all that is in them, and the statements of modules and classes outside of them."""
    waiting: list[ast.stmt] = [*tree.body]
    while waiting:
        statement = waiting.pop(0)
        if isinstance(statement, ast.ClassDef):
            waiting += statement.body
        else:
            yield statement


def is_of_money(unit: ast.stmt) -> bool:
    return any(MONEY.search(name_of(node)) for node in ast.walk(unit))


def inexact(unit: ast.stmt) -> Iterator[str]:
    """Each float in it, and what makes one."""
    for node in ast.walk(unit):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            yield f"{node.lineno}: the float {node.value}"
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{node.lineno}: a division with a rest"
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Pow) and is_negative(node.right):
            yield f"{node.lineno}: a negative power"
        elif name_of(node) in INEXACT:
            yield f"{getattr(node, 'lineno', 0)}: {name_of(node)}"


def is_negative(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub)


def floats_at_money(source: str) -> list[str]:
    return [fault for unit in units(ast.parse(source)) if is_of_money(unit) for fault in inexact(unit)]


def handles_money(path: Path) -> bool:
    return any(map(is_of_money, units(ast.parse(path.read_text()))))


HANDLING = [path for path in sorted(MODULES) if path != EXCEPTED and handles_money(path)]


@pytest.mark.parametrize("path", HANDLING, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_float_touches_money_wherever_it_is_handled(path: Path) -> None:
    assert floats_at_money(path.read_text()) == []


def test_every_module_that_computes_money_is_looked_at() -> None:
    found = {str(path.relative_to(ROOT)) for path in HANDLING}
    known = ("prices", "spend", "limits", "metering", "invoice", "tax", "usage", "fees", "tally")
    assert {f"chalicelib/domain/{name}.py" for name in known} <= found
    for name in ("chalicelib/plans.py", "chalicelib/ports/jobs.py", "client/usage.py"):
        assert name in found
    for part in PARTS:
        assert any(name.startswith(part) for name in found), part


SOUND = """
class Line:
    amount_micros: int = 7 * 10**6

    def share(self, price_micros: int, jobs: int) -> int:
        part, odd = divmod(price_micros, jobs)
        return part + -(-price_micros // 2)

def wait(clock: object) -> float:
    return clock.monotonic() / 2.0
"""
SEEDED = {
    "price_micros = 0.1": "the float 0.1",
    "def f(price_micros):\n    return price_micros / 2": "a division",
    "def f(price_micros):\n    price_micros /= 2\n    return price_micros": "a division",
    "def f(x):\n    total_micros = float(x)": "float",
    "def f(gas_price_wei: float): ...": "float",
    "def f(total_micros):\n    return round(total_micros, -3)": "round",
    "from decimal import Decimal\nTAX_MICROS = Decimal(1)": "Decimal",
    "import math\ndef f(micros):\n    return math.ceil(micros)": "math",
    "class A:\n    def f(self):\n        return self.fee_wei * 10**-18": "a negative power",
    "class A:\n    rate_micros: float": "float",
    "def f(gap):\n    def g(price_micros): ...\n    return gap.total_seconds()": "total_seconds",
    "fees = {'a': 1.5}\nlimit_micros = lambda: 2e3": "the float 2000.0",
}


def test_what_is_exact_and_what_is_no_money_is_left_alone() -> None:
    assert floats_at_money(SOUND) == []


@pytest.mark.parametrize("source", SEEDED)
def test_a_float_is_found_when_one_is_seeded(source: str) -> None:
    [fault, *_] = floats_at_money(source)
    assert SEEDED[source] in fault
