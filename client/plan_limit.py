"""Which limit of the plan a submit was refused by."""

from dataclasses import dataclass
from datetime import datetime

from pydantic import TypeAdapter


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanLimit:
    """A limit that has no room for what is `needed`; without `resets_at` it has again when a job ends.

    Of one whose name ends in `_micros`, the numbers are millionths of the plan's currency.
    """

    name: str
    allowed: int
    used: int
    needed: int
    resets_at: datetime | None


PLAN_LIMIT: TypeAdapter[PlanLimit | None] = TypeAdapter(PlanLimit | None)
