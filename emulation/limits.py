"""How long a function of the app may run and how many at once, read from Chalice's own configuration."""

import json
from dataclasses import dataclass
from pathlib import Path

from emulation.settings import faults_of

DEFAULT_TIMEOUT_SECONDS = 60.0
"""What Chalice deploys a function with that has no `lambda_timeout`."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What `.chalice/config.json` allows a function; `concurrency` None means whatever is left."""

    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    concurrency: int | None = None


def read_limits(config: Path, name: str) -> Limits:
    """The limits of one function in the stage `local`, found in the order in which Chalice looks."""
    with faults_of(config):
        whole = json.loads(config.read_text()) if config.exists() else {}
        stage = whole.get("stages", {}).get("local", {})
        function, everywhere = (each.get("lambda_functions", {}).get(name, {}) for each in (stage, whole))
        settings = {**whole, **everywhere, **stage, **function}
        return Limits(
            timeout_seconds=float(settings.get("lambda_timeout", DEFAULT_TIMEOUT_SECONDS)),
            concurrency=settings.get("reserved_concurrency"),
        )
