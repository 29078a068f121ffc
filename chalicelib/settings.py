"""What a function is told by its environment."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from chalicelib.domain.confirmation_view import Deployment


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The environment of a function. There is no default for an endpoint: nothing is reached by accident."""

    aws_endpoint: str
    base_url: str
    rpc_url: str = field(repr=False)  # in it may stand a provider's key
    chain_id: int
    registry: str
    genesis_hash: str
    clock_url: str | None

    @property
    def deployment(self) -> Deployment:
        """The registry that jobs are confirmed in."""
        return Deployment(chain_id=self.chain_id, genesis_hash=self.genesis_hash, registry=self.registry)

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
            # Part of the key of all that was sent: written in another case, none of it would be found.
            genesis_hash=environment["JOBS_GENESIS_HASH"].lower(),
            clock_url=environment.get("JOBS_CLOCK_URL"),
        )
