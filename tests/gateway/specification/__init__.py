"""What the emulated gateway does, statement by statement, each under an id that tests cite.

Invariant: a statement is in here once, with how far it is known of the real service; one that nobody knows
names the constant or function that holds our choice. `python -m tests.gateway.specification` prints all of it
as the document `emulation/gateway/BEHAVIOUR.md`.
"""

import pytest

from tests.gateway.specification.admission import KEYS, ORDER, THROTTLE
from tests.gateway.specification.answers import (
    ACCESS_LOG,
    CUSTOMISATION,
    HEADERS,
    LIMITS,
    RESPONSES,
)
from tests.gateway.specification.metering import QUOTA, USAGE
from tests.gateway.specification.statements import Section, Statement

SECTIONS: tuple[Section, ...] = (
    ORDER,
    KEYS,
    THROTTLE,
    QUOTA,
    USAGE,
    RESPONSES,
    HEADERS,
    CUSTOMISATION,
    LIMITS,
    ACCESS_LOG,
)
STATEMENTS: tuple[Statement, ...] = tuple(each for section in SECTIONS for each in section.statements)


def cites(*ids: str) -> pytest.MarkDecorator:
    """Marks a test, or one case of it, as showing that the statements with these ids hold."""
    return pytest.mark.cites(*ids)
