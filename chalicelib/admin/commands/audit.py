"""`audit`: who did what, to whom, and when."""

from collections.abc import Mapping
from typing import Annotated

import typer

from chalicelib.admin.commands.printing import AsJson, answer, moment, shown, table
from chalicelib.admin.commands.stack import connected

# What a terminal scrolls through; and a page of the table, which holds some 300 bytes an event.
DEFAULT_EVENTS = 20
EVENTS_AT_MOST = 1_000


def audit(
    *,
    limit: Annotated[
        int, typer.Option(min=1, max=EVENTS_AT_MOST, help="How many, at most.")
    ] = DEFAULT_EVENTS,
    as_json: AsJson = False,
) -> None:
    """List the acts of administration, the newest first; an act that changed nothing is none."""
    events = connected().adapters.registry.events(limit=limit)
    rows = [(shown(each.at), each.act, each.subject, each.actor, _text(each.facts)) for each in events]
    text = table(("AT", "ACT", "SUBJECT", "ACTOR", "FACTS"), rows, empty="Nothing was done yet.")
    documents = [
        {
            "event_id": each.event_id,
            "at": moment(each.at),
            "actor": each.actor,
            "act": each.act.value,
            "subject": each.subject,
            "facts": dict(each.facts),
        }
        for each in events
    ]
    answer({"events": documents}, text, as_json=as_json)


def _text(facts: Mapping[str, str]) -> str:
    return " ".join(f"{name}={value}" for name, value in facts.items())
