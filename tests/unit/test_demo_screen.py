"""What the demo claims, it has compared."""

import io

import pytest
from rich.console import Console

from emulation.demo.screen import CheckFailed, Screen


def test_check_is_told_when_it_holds() -> None:
    told = io.StringIO()
    Screen(Console(file=told)).check("two is two", 2, 2)
    assert told.getvalue().strip() == "✓ two is two"


def test_check_names_its_claim_when_it_does_not_hold() -> None:
    told = io.StringIO()
    with pytest.raises(CheckFailed, match=r"two is three \(found 2, expected 3\)"):
        Screen(Console(file=told)).check("two is three", 2, 3)
    assert told.getvalue() == ""
