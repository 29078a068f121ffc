"""What a problem is, and how the gateway words those that are its own."""

from dataclasses import dataclass

# Of the gateway's making: the seconds until the caller's own bucket or quota admits again.
WHEN_ADMITTED = "context.rateLimit.retryAfter"
# A defect or an overload may be over at once; who asks again sooner only adds to it.
SOON = "'1'"


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayAnswer:
    """The gateway's response types that this problem is, with the one sentence that they can have.

    `retry_after` is a mapping expression of the gateway's; `challenge` is for WWW-Authenticate.
    """

    types: tuple[str, ...]
    detail: str
    retry_after: str | None = None
    challenge: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of problem. `title` never varies; `detail` is written where the problem is found."""

    code: str
    status: int
    title: str
    advice: str
    retryable: bool = False
    gateway: GatewayAnswer | None = None


def type_url(code: str, *, base_url: str) -> str:
    """Where the problem's page is."""
    return f"{base_url}/v1/problems/{code}"
