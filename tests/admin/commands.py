"""How a command ended, what the documents that it prints hold, and the stack's clock."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx

NOW = "2026-11-23T05:00:00Z"
TENANT = {"tenant_id", "name", "plan", "suspended_at"}
CLIENT = {
    "client_id",
    "tenant_id",
    "scopes",
    "dpop_bound",
    "created_at",
    "revoked_at",
    "secrets",
    "public_keys",
}
KEY = {"kid", "state", "published_at", "signs_from", "until"}
SIGNER = {"address", "duty", "is_confirmer", "balance_wei", "open_transactions", "next_nonce"}
VERIFIED = {"job_id", "tenant_id", "confirmation", "verified", "checks"}
EVENT = {"event_id", "at", "actor", "act", "subject", "facts"}
SHOWN_ONCE = "It is shown this once and stored nowhere: keep it now."


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    status: object
    out: str
    err: str

    @property
    def document(self) -> Any:
        assert (self.status, self.err) == (0, "")
        return json.loads(self.out)

    @property
    def text(self) -> str:
        assert (self.status, self.err) == (0, "")
        return self.out

    @property
    def refusal(self) -> str:
        """The one line of a command that did nothing."""
        assert (self.status, self.out) == (1, "")
        (line,) = self.err.splitlines()
        return line


Admin = Callable[..., Ran]


def advance(edge_url: str, seconds: int) -> None:
    httpx.post(f"{edge_url}/_aws/clock", json={"advance_seconds": seconds}).raise_for_status()


def now(edge_url: str) -> str:
    told: str = httpx.get(f"{edge_url}/_aws/clock").json()["now"]
    return told[:19]
