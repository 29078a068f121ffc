"""The only clock, waiting and chance in this package."""

import time
import uuid


class System:
    """This machine's."""

    def monotonic(self) -> float:
        """Seconds since an arbitrary moment, never going back."""
        return time.monotonic()

    def pause(self, seconds: float) -> None:
        """Returns after `seconds`."""
        time.sleep(seconds)

    def new_idempotency_key(self) -> str:
        """A key that nobody has used."""
        return str(uuid.uuid4())
