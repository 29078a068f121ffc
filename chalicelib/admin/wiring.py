"""The acts of administration, wired to a stack: it needs an endpoint, and neither a chain nor an API."""

from collections.abc import Mapping
from functools import cached_property

from chalicelib.access import Access
from chalicelib.adapters.dynamodb import translated
from chalicelib.aws import Adapters
from chalicelib.domain.errors import Refused
from chalicelib.plans import load_plans
from chalicelib.settings import Settings
from chalicelib.use_cases.administer_clients import AdministerClients
from chalicelib.use_cases.administer_tenants import AdministerTenants
from chalicelib.use_cases.rotate_keys import RotateKeys


class Administration:
    """What an operator can do, as whoever the AWS credentials of this process belong to."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters

    @classmethod
    def of_environment(cls, environment: Mapping[str, str]) -> "Administration":
        """The one of the stack that the environment names, or `Refused`, which says how to name it."""
        endpoint = environment.get("AWS_ENDPOINT_URL")
        if not endpoint:
            raise Refused(
                "AWS_ENDPOINT_URL is not set: start a stack with `make up`, then run "
                '`eval "$(.venv/bin/python -m emulation env)"`.'
            )
        stack = cls.of_endpoint(endpoint, clock_url=environment.get("JOBS_CLOCK_URL"))
        try:
            with translated():
                _ = stack.adapters.tables  # boto3 says here what the environment lacks, a region say
        except ValueError as error:
            raise Refused(f"AWS_ENDPOINT_URL is {endpoint!r}, and no URL: set it to the stack's.") from error
        return stack

    @classmethod
    def of_endpoint(cls, endpoint: str, *, clock_url: str | None = None) -> "Administration":
        """The one of the stack at this endpoint."""
        return cls(
            Adapters(
                Settings(
                    aws_endpoint=endpoint,
                    base_url="",
                    rpc_url="",
                    chain_id=0,
                    registry="",
                    signer="",
                    clock_url=clock_url,
                )
            )
        )

    @cached_property
    def actor(self) -> str:
        """Who acts, as the account knows them and not as they call themselves."""
        with translated():
            return str(self._adapters.client("sts").get_caller_identity()["Arn"])

    @property
    def adapters(self) -> Adapters:
        """The ports."""
        return self._adapters

    @cached_property
    def tenants(self) -> AdministerTenants:
        """Wired `AdministerTenants`."""
        a = self._adapters
        return AdministerTenants(
            tenants=a.tenants,
            registry=a.registry,
            metering_keys=a.metering_keys,
            plans=load_plans().plans,
            clock=a.clock,
            ids=a.ids,
        )

    @cached_property
    def clients(self) -> AdministerClients:
        """Wired `AdministerClients`."""
        a = self._adapters
        return AdministerClients(clients=a.clients, registry=a.registry, clock=a.clock, ids=a.ids)

    @cached_property
    def keys(self) -> RotateKeys:
        """Wired `RotateKeys`."""
        return Access(self._adapters).rotate_keys
