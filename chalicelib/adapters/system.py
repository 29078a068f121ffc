"""The only clock and the only source of ids and chance in this package."""

import json
import random
import secrets
import time
from datetime import UTC, datetime
from http.client import HTTPException
from urllib.request import urlopen

from ulid import ULID

from chalicelib.domain import client_secret
from chalicelib.domain.errors import Unavailable
from chalicelib.domain.listing import unix_milliseconds

# A manual clock is on the same machine; what takes longer than this is gone.
CLOCK_TIMEOUT_SECONDS = 5.0
# Conflicting transactions last milliseconds, so the first waits are as short.
BACKOFF_FIRST_SECONDS = 0.01
BACKOFF_CAP_SECONDS = 0.5


class SystemClock:
    """The `Clock` port on the machine's time."""

    def now(self) -> datetime:
        """See `ports.Clock.now`."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """See `ports.Clock.monotonic`."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """See `ports.Clock.pause`."""
        time.sleep(seconds)


class RemoteClock(SystemClock):
    """The `Clock` port on a stack's manual clock, which `GET url` shows."""

    def __init__(self, url: str) -> None:
        self._url = url

    def now(self) -> datetime:
        """See `ports.Clock.now`."""
        try:
            with urlopen(self._url, timeout=CLOCK_TIMEOUT_SECONDS) as answer:
                return datetime.fromisoformat(json.load(answer)["now"])
        except (OSError, ValueError, LookupError, HTTPException) as error:
            raise Unavailable("The manual clock does not answer; try again.") from error


class RandomIds:
    """The `Ids` port: ULIDs, so that ids sort by the time they were made."""

    def new_id(self, prefix: str, *, at: datetime | None = None) -> str:
        """See `ports.Ids.new_id`."""
        # In the very milliseconds that lists look for, not in ULID's own, which come of a float.
        return f"{prefix}{ULID.from_timestamp(unix_milliseconds(at)) if at else ULID()}"

    def part_of(self, seconds: float) -> float:
        """See `ports.Ids.part_of`."""
        return random.uniform(0, seconds)

    def salt(self) -> bytes:
        """See `ports.Ids.salt`."""
        return secrets.token_bytes(32)

    def new_client_secret(self) -> str:
        """See `ports.Ids.new_client_secret`."""
        chance = (secrets.choice(client_secret.ALPHABET) for _ in range(client_secret.RANDOM_CHARACTERS))
        return client_secret.seal("".join(chance))

    def new_private_key(self) -> bytes:
        """32 unpredictable bytes, for a signer."""
        return secrets.token_bytes(32)


def back_off(attempt: int) -> None:
    """Waits longer each time, with full jitter, so that two that met do not meet again."""
    time.sleep(random.uniform(0, min(BACKOFF_CAP_SECONDS, BACKOFF_FIRST_SECONDS * 2**attempt)))
