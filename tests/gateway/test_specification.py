"""The specification and the tests agree: nothing stated is untested, and nothing cited is unstated."""

import re
from collections import Counter
from pathlib import Path
from pkgutil import resolve_name

import pytest

from tests.gateway.specification import STATEMENTS
from tests.gateway.specification.citations import citations
from tests.gateway.specification.document import document
from tests.gateway.specification.statements import Statement

REPOSITORY = Path(__file__).parents[2]
BEHAVIOUR = REPOSITORY / "emulation" / "gateway" / "BEHAVIOUR.md"
CHOICES = [each for each in STATEMENTS if each.chosen_in]


def test_every_id_is_one_statements_when_they_are_counted() -> None:
    assert [each for each, count in Counter(each.id for each in STATEMENTS).items() if count > 1] == []


def test_every_statement_is_shown_when_the_tests_are_read() -> None:
    cited = citations()
    assert [each.id for each in STATEMENTS if each.id not in cited] == []


def test_every_cited_id_is_a_statements_when_the_tests_are_read() -> None:
    assert set(citations()) - {each.id for each in STATEMENTS} == set()


@pytest.mark.parametrize("choice", CHOICES, ids=lambda choice: choice.id)
def test_every_choice_is_where_its_statement_says(choice: Statement) -> None:
    assert resolve_name(f"emulation.gateway.{choice.chosen_in}") is not None


def test_the_document_is_that_of_the_statements_when_it_is_made_anew() -> None:
    assert BEHAVIOUR.read_text() == document() + "\n", (
        "emulation/gateway/BEHAVIOUR.md is out of date: make it anew with "
        "`.venv/bin/python -m tests.gateway.specification > emulation/gateway/BEHAVIOUR.md`"
    )


def test_every_link_of_the_document_leads_somewhere_when_it_is_followed() -> None:
    targets = set(re.findall(r"\]\(([^)#:]+)\)", BEHAVIOUR.read_text()))
    assert targets
    assert [target for target in targets if not (BEHAVIOUR.parent / target).exists()] == []
