"""What a person sees of the usage document: a table a plan, the keys with least left first, one screenful.

Pure: from the document of `GET /_aws/usage` to what rich prints. Moments are UTC, and told relative to the
document's own `now`, which may be a manual clock's.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

BAR_CELLS = 10
# Below these shares of a limit its bar is yellow, and red.
FEW, LAST = 0.5, 0.1
# Holds the name of a key or of a method; a longer one ends in an ellipsis, as do keys where it gets narrow.
NAME_CELLS = 40
LEAST_NAME_CELLS = 8
GAP_CELLS = 2
# A plan's lines around those of its keys: one that keeps it apart, and its title.
LINES_OF_PLAN = 2
# The moment, a line apart, the heads; at the end a line apart, what is not shown, and the shell's prompt.
LINES_AROUND = 6
# Of the stages' buckets: there are as many as methods, and the emptiest tell enough.
STAGE_LINES = 5

_UNITS = (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1))

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Limit:
    """One quota or bucket: what is left of it, and in how long it is full again if it is not."""

    name: str
    left: int
    most: int
    full_again: str

    @property
    def share(self) -> float:
        """From 0 to 1; UpdateUsage may leave more than the limit."""
        return min(1.0, self.left / self.most) if self.most else 0.0

    def cells(self) -> tuple[Text, ...]:
        colour = "red" if self.share < LAST else "yellow" if self.share < FEW else "green"
        full = math.ceil(self.share * BAR_CELLS)
        bar = Text.assemble(("█" * full, colour), ("░" * (BAR_CELLS - full), "dim"))
        left = Text(f"{self.left:,} of {self.most:,}", colour if self.share < FEW else "")
        return Text(self.name), bar, left, Text(self.full_again, "dim")


@dataclass(frozen=True, slots=True)
class _Key:
    """One key in one plan. `plan` is the plan's place in the document."""

    plan: int
    name: str
    limits: tuple[_Limit, ...]

    @property
    def least_left(self) -> tuple[float, str]:
        return min((limit.share for limit in self.limits), default=math.inf), self.name

    @property
    def lines(self) -> int:
        return max(1, len(self.limits))


def picture(document: Document, *, lines: int, cells: int) -> RenderableType:
    """As much of the document as fits a screen of `lines` times `cells`, and how much more there is."""
    now, plans = datetime.fromisoformat(document["now"]), document["plans"]
    everyone = _Key(-1, "all callers", _shared(document, now))
    keys = sorted(_keys(plans, now), key=lambda key: key.least_left)
    shown = _fitting(keys, lines - LINES_AROUND - everyone.lines)
    widths = _widths([everyone, *shown], cells)
    parts: list[RenderableType] = [Text(f"Usage at {_told(now)}", "bold"), Text()]
    parts.append(_table([everyone], widths, show_heads=True))
    for place in dict.fromkeys(key.plan for key in shown):
        members = [key for key in shown if key.plan == place]
        parts += [Text(), _title(plans[place]), _table(members, widths)]
    return Group(*parts, Text(), _rest(plans, hidden=len(keys) - len(shown)))


def since(now: datetime, moment: datetime) -> str:
    """How long it is from `now` to the moment, in its two largest units, rounded up.

    >>> now = datetime.fromisoformat("2026-11-23T05:00:00Z")
    >>> since(now, datetime.fromisoformat("2026-11-23T08:12:00Z"))
    '3 h 12 min'
    >>> since(now, datetime.fromisoformat("2026-11-23T05:00:00.02Z"))
    '0.1 s'
    """
    seconds = (moment - now).total_seconds()
    if seconds < 1:
        return f"{math.ceil(seconds * 10) / 10} s"
    left = math.ceil(seconds)
    told: list[str] = []
    for unit, size in _UNITS:
        if left >= size or told:
            told.append(f"{left // size} {unit}")
            left %= size
    return " ".join(told[:2])


def _shared(document: Document, now: datetime) -> tuple[_Limit, ...]:
    """The account's bucket, and those of the stages' methods that have least left."""
    stages = [_bucket(bucket, now) for stage in document["stages"] for bucket in stage["buckets"]]
    emptiest = sorted(stages, key=lambda limit: limit.share)[:STAGE_LINES]
    return _bucket(document["account"], now), *emptiest


def _keys(plans: Sequence[Document], now: datetime) -> Iterator[_Key]:
    for place, plan in enumerate(plans):
        for key in plan["keys"]:
            name = (key["name"] or key["id"]) + ("" if key["enabled"] else ", disabled")
            quota = (_quota(key["quota"], plan["quota"], now),) if key["quota"] else ()
            yield _Key(place, name, (*quota, *(_bucket(bucket, now) for bucket in key["buckets"])))


def _quota(of_key: Document, of_plan: Document, now: datetime) -> _Limit:
    resets_at = datetime.fromisoformat(of_key["resets_at"])
    return _Limit("quota", of_key["remaining"], of_plan["limit"], f"in {since(now, resets_at)}")


def _bucket(bucket: Document, now: datetime) -> _Limit:
    where = f"{bucket['stage']}{bucket['method']}" if bucket["method"] else bucket["layer"]
    full_at = bucket["full_at"]
    return _Limit(
        f"{where} {bucket['rate_limit']:,g}/s",
        bucket["remaining"],
        bucket["burst_limit"],
        f"in {since(now, datetime.fromisoformat(full_at))}" if full_at else "",
    )


def _fitting(keys: Sequence[_Key], lines: int) -> list[_Key]:
    """The first of them, with their plans' lines."""
    shown: list[_Key] = []
    plans: set[int] = set()
    for key in keys:
        lines -= key.lines + (0 if key.plan in plans else LINES_OF_PLAN)
        if lines < 0:
            break
        shown.append(key)
        plans.add(key.plan)
    return shown


def _widths(keys: Sequence[_Key], cells: int) -> tuple[int, ...]:
    """Of the columns, so that the tables stand below each other; the keys' names get what is left."""
    rows = [limit.cells() for key in keys for limit in key.limits]
    others = [min(NAME_CELLS, max(len(row[column]) for row in rows)) for column in range(len(rows[0]))]
    longest = min(NAME_CELLS, max(len(key.name) for key in keys))
    room = cells - sum(others) - GAP_CELLS * len(others)
    return max(LEAST_NAME_CELLS, min(longest, room)), *others


def _table(keys: Sequence[_Key], widths: Sequence[int], *, show_heads: bool = False) -> Table:
    padding = (0, GAP_CELLS, 0, 0)
    table = Table(box=None, show_header=show_heads, pad_edge=False, padding=padding, header_style="dim")
    for head, width in zip(("key", "limit", "", "left", "full again"), widths, strict=True):
        table.add_column(head, width=width, no_wrap=True, justify="right" if head == "left" else "left")
    for key in keys:
        first, *others = key.limits or (None,)
        table.add_row(Text(key.name), *(first.cells() if first else (Text("no limit"),)))
        for limit in others:
            table.add_row("", *limit.cells())
    return table


def _title(plan: Document) -> Text:
    quota, throttle, facts = plan["quota"], plan["throttle"], []
    if quota:
        resets_at = _told(datetime.fromisoformat(quota["resets_at"]))
        facts.append(f"{quota['limit']:,} a {quota['period'].lower()}, until {resets_at}")
    if throttle:
        facts.append(f"{throttle['rate_limit']:,g}/s, burst {throttle['burst_limit']:,}")
    facts += [f"{each['api_id']}/{each['stage']}" for each in plan["stages"]]
    title = Text.assemble((plan["name"], "bold cyan"), "  ", (" · ".join(facts), "dim"))
    title.no_wrap, title.overflow = True, "ellipsis"
    return title


def _rest(plans: Sequence[Document], *, hidden: int) -> Text:
    """What is not in the picture, in a line."""
    if not plans:
        return Text("There is no usage plan yet.", "dim")
    keyless = sum(not plan["keys"] for plan in plans)
    told = [f"keys with more left: {hidden:,}"] if hidden else []
    told += [f"plans without keys: {keyless:,}"] if keyless else []
    return Text(f"Not shown: {', '.join(told)}. --json tells all." if told else "", "dim")


def _told(moment: datetime) -> str:
    """To the second, and no further than it needs.

    >>> _told(datetime.fromisoformat("2026-12-01T00:00:00Z"))
    '2026-12-01 00:00 UTC'
    """
    return f"{moment:%Y-%m-%d %H:%M}" + (f"{moment::%S}" if moment.second else "") + " UTC"
