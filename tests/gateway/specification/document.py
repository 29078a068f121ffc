"""The statements as a document, each with the tests that show it."""

from collections.abc import Iterator, Mapping, Sequence

from tests.gateway.specification import SECTIONS
from tests.gateway.specification.citations import Test, citations
from tests.gateway.specification.statements import Statement

_HEAD = """\
# What the gateway does

These statements are the emulated API Gateway's behaviour in everything about keys, usage plans, throttles,
quotas and usage, each with the tests that show it.
How far one is known of the real service is *observed*, *documented*, *inferred*, or *chosen* by us where
nobody we found knows, in the constant or function of `emulation.gateway` that is named.

<!-- Made by `python -m tests.gateway.specification`: change the statements there, not here. -->"""


def document() -> str:
    """The whole document."""
    cited = citations()
    return "\n".join(
        [
            _HEAD,
            *(line for section in SECTIONS for line in _section(section.title, section.statements, cited)),
        ]
    )


def _section(title: str, statements: Sequence[Statement], cited: Mapping[str, list[Test]]) -> Iterator[str]:
    yield from [
        "",
        f"## {title}",
        "",
        "| Id | What holds | Known | Chosen in | Shown by |",
        "|---|---|---|---|---|",
    ]
    for each in statements:
        tests = ", ".join(dict.fromkeys(map(_link, cited.get(each.id, ()))))
        where = f"`{each.chosen_in}`" if each.chosen_in else ""
        yield f"| `{each.id}` | {each.text} | {each.confidence.value} | {where} | {tests} |"


def _link(test: Test) -> str:
    return f"[{test.name}](../../tests/{test.path})"
