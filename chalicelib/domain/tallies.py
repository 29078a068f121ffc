"""What is counted a minute at the token endpoints, and how much of it is allowed; pure.

Wrong credentials, of an address and of a client. A secret has 256 bits, so what this bounds is not the odds
of a guess but the work that guessing makes us do, and what it hides in the log. Right ones, of a client
alone: a fleet behind one address is not slowed down, and no client has all executions. And revocations, of a
client, as every authorizer reads them.
"""

import ipaddress
from dataclasses import dataclass
from datetime import datetime, timedelta

WINDOW = timedelta(minutes=1)
# A person who mistypes, or a deployment with an old secret that retries, stays below it.
FAILURES_OF_ADDRESS = 10
# Ten times as many, so that who knows a client's id needs ten addresses to keep the client from its tokens.
FAILURES_OF_CLIENT = 100
# Ten a second, where each of a client's processes needs one in ten minutes: enough for 6,000 of them.
SUCCESSES_OF_CLIENT = 600
# One a second. What is in force of them is 660 rows (11 minutes, a token's life and the skew), and a read of
# the list by an authorizer is one request to the table until a dozen clients do nothing else.
REVOCATIONS_OF_CLIENT = 60


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted, and how many are allowed in a window."""

    subject: str
    limit: int


def counted_failure(*, address: str, client_id: str) -> tuple[Counted, ...]:
    """What is counted when a wrong credential of this client is offered from this address.

    >>> [each.subject for each in counted_failure(address="2001:db8::7", client_id="cli_1")]
    ['address#2001:db8::/64', 'client#cli_1']
    """
    return (
        Counted(f"address#{_network(address)}", FAILURES_OF_ADDRESS),
        Counted(f"client#{client_id}", FAILURES_OF_CLIENT),
    )


def counted_success(client_id: str) -> Counted:
    """What is counted when the client proves itself."""
    return Counted(f"proven#{client_id}", SUCCESSES_OF_CLIENT)


def counted_revocation(client_id: str) -> Counted:
    """What is counted when the client revokes one of its tokens."""
    return Counted(f"revocations#{client_id}", REVOCATIONS_OF_CLIENT)


def window_start(now: datetime) -> datetime:
    """The minute that `now` lies in.

    >>> from datetime import UTC
    >>> window_start(datetime(2026, 11, 23, 12, 0, 59, tzinfo=UTC)).isoformat()
    '2026-11-23T12:00:00+00:00'
    """
    return now.replace(second=0, microsecond=0)


def seconds_left(now: datetime) -> int:
    """Whole seconds after which the next window has begun; at least one."""
    left = window_start(now) + WINDOW - now
    return -(-left // timedelta(seconds=1))


def _network(address: str) -> str:
    """An IPv4 address, or the /64 that one customer of a provider has for itself (RFC 6177)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    return str(parsed) if parsed.version == 4 else str(ipaddress.ip_network((parsed, 64), strict=False))
