"""How long the server waits for a client."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client may take."""

    idle_seconds: float = 75.0
    """Longer than SDKs keep an idle connection, so that it is they who close it."""

    request_seconds: float = 30.0
    """For a whole request from its first byte on, and for reading an answer: on one machine 100 MB take a
    second, so who is not ready then has stopped."""

    linger_seconds: float = 2.0
    """After the last answer, for the client to take notice of it instead of a reset connection."""
