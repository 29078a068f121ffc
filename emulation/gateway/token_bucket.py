"""A token bucket as a pure function: (state, limit, now) to (state, decision).

Invariant: in any interval of t seconds at most rate * t + burst requests are admitted, exactly, because the
bucket counts in whole numbers: time in microseconds, tokens in millionths of a millionth. Floats would deny
the token that 0.1 s at 10 a second has just earned.

Imitated: `rateLimit` is the steady refill a second, `burstLimit` the size of the bucket; an admitted request
takes one token. A bucket that nobody has used yet is full.
"""

from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

_MICROSECONDS = 1_000_000
# A rate in micro-tokens a second times microseconds gives tokens in units of 10^-12.
_TOKEN = 1_000_000 * _MICROSECONDS


class Decision(Enum):
    ADMITTED = auto()
    DENIED = auto()


@dataclass(frozen=True, slots=True)
class Limit:
    """A refill of `rate` tokens a second into a bucket of `burst` tokens; a burst of 0 admits nothing."""

    rate: float
    burst: int


class Bucket(NamedTuple):  # made for each layer of each request, in half a frozen dataclass's time
    """What was left at a moment; the refill since then is worked out when it is next asked."""

    level: int  # in 10^-12 tokens
    at: int  # Unix microseconds


def take(bucket: Bucket | None, limit: Limit, now: float) -> tuple[Bucket, Decision]:
    """Takes a token if there is one; `None` is a bucket nobody has used.

    A clock that steps back refills nothing and takes nothing away, and the time it goes through again is not
    counted twice. A limit edited meanwhile holds from here on: a smaller bucket loses what no longer fits.

    >>> limit = Limit(rate=1.0, burst=1)
    >>> bucket, decision = take(None, limit, 100.0)
    >>> decision
    <Decision.ADMITTED: 1>
    >>> take(bucket, limit, 100.5)[1], take(bucket, limit, 101.0)[1]
    (<Decision.DENIED: 2>, <Decision.ADMITTED: 1>)
    """
    at = round(now * _MICROSECONDS)
    capacity = limit.burst * _TOKEN
    if bucket is None:
        level = capacity
    elif at <= bucket.at:
        at, level = bucket.at, min(capacity, bucket.level)
    else:
        level = min(capacity, bucket.level + (at - bucket.at) * round(limit.rate * 1_000_000))
    if level < _TOKEN:
        return Bucket(level, at), Decision.DENIED
    return Bucket(level - _TOKEN, at), Decision.ADMITTED
