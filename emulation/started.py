"""What a stack knows of itself while it starts: what its functions are told, and what `stack.json` says."""

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from emulation.provision import Api
from emulation.settings import ClockKind


@dataclass(slots=True, kw_only=True)
class Started:
    """What is known of a stack so far; complete when it is ready."""

    edge_url: str
    api: Api | None = None
    docs_url: str | None = None
    chain: dict[str, Any] | None = None
    signer: str | None = None
    tenants: list[dict[str, str]] = field(default_factory=list)

    @property
    def clock_url(self) -> str:
        return f"{self.edge_url}/_aws/clock"

    def facts(self, clock: ClockKind) -> dict[str, str]:
        """What the project may tell its functions."""
        facts = {"edge_url": self.edge_url}
        if clock is ClockKind.MANUAL:
            facts["manual_clock_url"] = self.clock_url
        if self.api:
            facts["base_url"] = self.api.base_url
        return facts | {name: str(value) for name, value in (self.chain or {}).items()}

    def description(self, environment: Mapping[str, str]) -> dict[str, Any]:
        """The content of `stack.json`."""
        return {
            "edge_url": self.edge_url,
            "api": asdict(self.api) if self.api else None,
            "docs_url": self.docs_url,
            "chain": self.chain,
            "tenants": self.tenants,
            "clock_url": self.clock_url,
            "environment": dict(environment),
            "pid": os.getpid(),
        }
