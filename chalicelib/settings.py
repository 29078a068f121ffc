"""What a function is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment of a function. There is no default for an endpoint: nothing is reached by accident."""

    aws_endpoint: str
    base_url: str
    rpc_url: str
    chain_id: int
    registry: str
    genesis_hash: str
    clock_url: str | None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> "Settings":
        """The settings, or a `SystemExit` that names every missing variable."""
        names = (
            "AWS_ENDPOINT_URL",
            "JOBS_BASE_URL",
            "JOBS_CHAIN_RPC_URL",
            "JOBS_CHAIN_ID",
            "JOBS_REGISTRY",
            "JOBS_GENESIS_HASH",
        )
        missing = [name for name in names if not environment.get(name)]
        if missing:
            raise SystemExit(
                f"Set {', '.join(missing)}: start a stack with `make up`, then run "
                '`eval "$(.venv/bin/python -m emulation env)"`.'
            )
        return cls(
            aws_endpoint=environment["AWS_ENDPOINT_URL"],
            base_url=environment["JOBS_BASE_URL"],
            rpc_url=environment["JOBS_CHAIN_RPC_URL"],
            chain_id=int(environment["JOBS_CHAIN_ID"]),
            registry=environment["JOBS_REGISTRY"],
            genesis_hash=environment["JOBS_GENESIS_HASH"],
            clock_url=environment.get("JOBS_CLOCK_URL"),
        )
