"""How commands answer: one JSON document for programs, or aligned lines for people; an error is one line."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated

import typer

from chalicelib.domain.errors import ChainUnavailable, Refused, Superseded, Unavailable
from chalicelib.domain.metering import ContradictoryEvents

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


def answer(document: Mapping[str, object], text: str, *, as_json: bool) -> None:
    """Prints the one or the other."""
    typer.echo(json.dumps(document, indent=2) if as_json else text)


def moment(at: datetime | None) -> str | None:
    """The time as RFC 3339, of which people see the seconds.

    >>> from datetime import UTC
    >>> moment(datetime(2026, 11, 23, 5, 0, 0, 250_000, tzinfo=UTC))
    '2026-11-23T05:00:00.250000Z'
    """
    return None if at is None else at.isoformat().replace("+00:00", "Z")


def shown(at: datetime | None) -> str:
    """The time as people read it."""
    return "-" if at is None else f"{at:%Y-%m-%d %H:%M:%SZ}"


def table(header: Sequence[str], rows: Sequence[Sequence[str]], *, empty: str) -> str:
    """Columns as wide as they must be, on a terminal or not; `empty` says so, and what would fill it.

    >>> print(table(("NAME", "PLAN"), [("acme", "pro"), ("globex", "free")], empty="None."))
    NAME    PLAN
    acme    pro
    globex  free
    """
    if not rows:
        return empty
    lines = (header, *rows)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def notice(line: str) -> None:
    """Says on stderr what a command that takes its time is at, so that what it answers stays alone."""
    typer.echo(line, err=True)


def once(secret: str) -> str:
    """The secret, and that nobody will see it again."""
    return f"secret  {secret}\nIt is shown this once and stored nowhere: keep it now."


@contextmanager
def told() -> Iterator[None]:
    """What an operator can do something about ends the command with one line and status 1."""
    try:
        yield
    except Refused as error:
        _fail(str(error))
    except ContradictoryEvents as error:
        _fail(f"{error}. Find out who wrote what nobody may write: nothing is billed of it.")
    except Superseded:
        _fail("Someone changed it meanwhile, and nothing was done: run it again.")
    except ChainUnavailable as error:
        _fail(
            f"{error} Check that the chain runs and that the environment is the stack's (`python -m "
            "emulation env`), and run it again."
        )
    except Unavailable as error:
        _fail(
            f"The stack did not do it ({error.__cause__ or error.detail}): check that it runs and that the "
            "environment is its own (`python -m emulation env`), see `audit`, and run it again."
        )


def _fail(line: str) -> None:
    typer.echo(" ".join(line.split()), err=True)
    sys.exit(1)
