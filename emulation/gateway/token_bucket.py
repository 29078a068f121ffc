"""A token bucket as a pure function: (state, cost, now) under a limit, to (state, decision).

Invariant: in any interval of t seconds at most rate * t + burst tokens are taken, exactly, because the
bucket counts in whole numbers: time in microseconds, tokens in millionths of a millionth. Floats would deny
the token that 0.1 s at 10 a second has just earned.

Imitated: `rateLimit` is the steady refill a second, `burstLimit` the size of the bucket; an admitted request
takes one token. A bucket that nobody has used yet is full.
"""

import math
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import NamedTuple

_MICROSECONDS = 1_000_000
# A rate in micro-tokens a second times microseconds gives tokens in units of 10^-12.
_TOKEN = 1_000_000 * _MICROSECONDS

# A clock that is set right steps by less. One that goes further back was wrong before, and a bucket that
# waited for that moment to come again would stay empty until then.
STEP_BACK_SECONDS = 60
_STEP_BACK = STEP_BACK_SECONDS * _MICROSECONDS


class Decision(Enum):
    ADMITTED = auto()
    DENIED = auto()


_ADMITTED, _DENIED = Decision.ADMITTED, Decision.DENIED


@dataclass(frozen=True, slots=True)
class Limit:
    """A refill of `rate` tokens a second into a bucket of `burst` tokens; a burst of 0 admits nothing."""

    rate: float
    burst: int
    # The same in the bucket's own units, worked out once and not for each request.
    refill: int = field(init=False, repr=False, compare=False)
    capacity: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "refill", round(self.rate * 1_000_000))
        object.__setattr__(self, "capacity", self.burst * _TOKEN)


class Bucket(NamedTuple):  # made for each layer of each request, in half a frozen dataclass's time
    """What was left at a moment; the refill since then is worked out when it is next asked."""

    level: int  # in 10^-12 tokens
    at: int  # Unix microseconds

    @property
    def remaining(self) -> int:
        """Whole tokens."""
        return self.level // _TOKEN


def take(bucket: Bucket | None, limit: Limit, *, cost: int, now: float) -> tuple[Bucket, Decision]:
    """Takes `cost` tokens if there are as many; `None` is a bucket nobody has used. A cost of 0 only looks.

    A clock that steps back refills nothing and takes nothing away. Within `STEP_BACK_SECONDS` the time that
    it goes through again is not counted twice either. A limit edited meanwhile holds from here on: a smaller
    bucket loses what no longer fits.

    >>> limit = Limit(rate=1.0, burst=1)
    >>> bucket, decision = take(None, limit, cost=1, now=100.0)
    >>> decision
    <Decision.ADMITTED: 1>
    >>> [take(bucket, limit, cost=1, now=now)[1].name for now in (100.5, 101.0)]
    ['DENIED', 'ADMITTED']
    """
    return take_at(bucket, limit, cost, microseconds(now))


def microseconds(now: float) -> int:
    """The moment in the bucket's own unit."""
    return round(now * _MICROSECONDS)


def take_at(bucket: Bucket | None, limit: Limit, cost: int, at: int) -> tuple[Bucket, Decision]:
    """`take` at a moment in microseconds, for who asks many buckets at one moment."""
    level = limit.capacity
    if bucket is not None:
        held, then = bucket
        if at > then:
            held += (at - then) * limit.refill
        elif at > then - _STEP_BACK:
            at = then
        if held < level:
            level = held
    price = cost * _TOKEN
    if level < price:
        return Bucket(level, at), _DENIED
    return Bucket(level - price, at), _ADMITTED


def seconds_until(bucket: Bucket, limit: Limit, tokens: int, *, now: float) -> float:
    """How long from `now` until the bucket holds as many tokens, 0 if it does, infinite if it never will.

    >>> limit = Limit(rate=2.0, burst=1)
    >>> bucket, _ = take(None, limit, cost=1, now=100.0)
    >>> seconds_until(bucket, limit, 1, now=100.0), seconds_until(bucket, limit, 2, now=100.0)
    (0.5, inf)
    """
    missing = tokens * _TOKEN - bucket.level
    if missing <= 0:
        return 0.0
    if limit.refill == 0 or tokens > limit.burst:
        return math.inf
    held_at = bucket.at - (-missing // limit.refill)  # rounded up
    return max(0, held_at - microseconds(now)) / _MICROSECONDS
