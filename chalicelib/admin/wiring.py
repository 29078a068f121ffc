"""The acts of administration, wired to a stack: it needs an endpoint, a chain for some, and no API."""

from collections.abc import Mapping, Sequence
from functools import cached_property

from chalicelib.access import Access
from chalicelib.adapters.dynamodb import translated
from chalicelib.aws import Adapters
from chalicelib.domain.errors import Refused
from chalicelib.plans import load_plans
from chalicelib.settings import Settings
from chalicelib.use_cases.administer_clients import AdministerClients
from chalicelib.use_cases.administer_signers import EnlistSigner, ListSigners
from chalicelib.use_cases.administer_tenants import AdministerTenants
from chalicelib.use_cases.close_period import ClosePeriod, ClosePeriods
from chalicelib.use_cases.ingest_usage import IngestUsage
from chalicelib.use_cases.read_invoice import ComputeInvoice, ReadInvoice
from chalicelib.use_cases.reconcile import Reconcile
from chalicelib.use_cases.redrive import ListDeadLetters, Redrive
from chalicelib.use_cases.return_funds import ReturnFunds
from chalicelib.use_cases.rotate_keys import RotateKeys
from chalicelib.use_cases.rotate_signers import RotateSigners
from chalicelib.use_cases.take_in_usage import TakeInUsage
from chalicelib.use_cases.verify_confirmation import VerifyConfirmation

ENDPOINT = "AWS_ENDPOINT_URL"
CHAIN = ("JOBS_CHAIN_RPC_URL", "JOBS_CHAIN_ID", "JOBS_REGISTRY", "JOBS_GENESIS_HASH")


class Administration:
    """What an operator can do, as whoever the AWS credentials of this process belong to."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], *, needs: Sequence[str] = ()) -> "Administration":
        """The one of the stack that the environment names, or `Refused`, which says how to name it.

        `needs` are variables beside the endpoint's that the act cannot do without.
        """
        missing = [name for name in (ENDPOINT, *needs) if not environment.get(name)]
        if missing:
            raise Refused(
                f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set: start a stack with "
                '`make up`, then run `eval "$(.venv/bin/python -m emulation env)"`.'
            )
        stack = cls(Adapters(_settings(environment)))
        try:
            with translated():
                _ = stack.adapters.tables  # boto3 says here what the environment lacks, a region say
        except ValueError as error:
            endpoint = environment[ENDPOINT]
            raise Refused(f"{ENDPOINT} is {endpoint!r}, and no URL: set it to the stack's.") from error
        return stack

    @classmethod
    def of_endpoint(cls, endpoint: str, *, clock_url: str | None = None) -> "Administration":
        """The one of the stack at this endpoint, without a chain."""
        environment = {ENDPOINT: endpoint} | ({"JOBS_CLOCK_URL": clock_url} if clock_url else {})
        return cls(Adapters(_settings(environment)))

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

    @cached_property
    def enlist_signer(self) -> EnlistSigner:
        """Wired `EnlistSigner`."""
        a = self._adapters
        return EnlistSigner(
            signers=a.signers, keys=a.signer_keys, registry=a.registry, clock=a.clock, ids=a.ids
        )

    @cached_property
    def list_signers(self) -> ListSigners:
        """Wired `ListSigners`."""
        a = self._adapters
        return ListSigners(
            signers=a.signers,
            appointments=a.registry_admin,
            transactions=a.transactions,
            genesis_hash=a.settings.genesis_hash,
        )

    @cached_property
    def return_funds(self) -> ReturnFunds:
        """Wired `ReturnFunds`."""
        a = self._adapters
        return ReturnFunds(
            signers=a.signers, chain=a.chain, transactions=a.transactions, appointments=a.registry_admin
        )

    @cached_property
    def rotate_signers(self) -> RotateSigners:
        """Wired `RotateSigners`."""
        a = self._adapters
        return RotateSigners(
            enlist=self.enlist_signer,
            return_funds=self.return_funds,
            signers=a.signers,
            keys=a.signer_keys,
            appointments=a.registry_admin,
            chain=a.chain,
            transactions=a.transactions,
            queue=a.queue,
            clock=a.clock,
            genesis_hash=a.settings.genesis_hash,
        )

    @cached_property
    def compute_invoice(self) -> ComputeInvoice:
        """Wired `ComputeInvoice`."""
        return ComputeInvoice(usage=self._adapters.usage, prices=load_plans().price_book)

    @cached_property
    def read_invoice(self) -> ReadInvoice:
        """Wired `ReadInvoice`."""
        a = self._adapters
        return ReadInvoice(invoices=a.invoices, compute=self.compute_invoice, clock=a.clock)

    @cached_property
    def close_periods(self) -> ClosePeriods:
        """Wired `ClosePeriods`."""
        a = self._adapters
        close = ClosePeriod(invoices=a.invoices, compute=self.compute_invoice, clock=a.clock)
        return ClosePeriods(registry=a.registry, close=close, clock=a.clock)

    @cached_property
    def ingest_usage(self) -> IngestUsage:
        """Wired `IngestUsage`."""
        a = self._adapters
        take_in = TakeInUsage(jobs=a.jobs, usage=a.usage, prices=load_plans().price_book, clock=a.clock)
        return IngestUsage(take_in=take_in, usage=a.usage, registry=a.registry, clock=a.clock, ids=a.ids)

    @cached_property
    def list_dead_letters(self) -> ListDeadLetters:
        """Wired `ListDeadLetters`."""
        return ListDeadLetters(letters=self._adapters.dead_letters, jobs=self._adapters.jobs)

    @cached_property
    def redrive(self) -> Redrive:
        """Wired `Redrive`."""
        a = self._adapters
        return Redrive(
            list=self.list_dead_letters,
            letters=a.dead_letters,
            registry=a.registry,
            clock=a.clock,
            ids=a.ids,
        )

    @cached_property
    def verify_confirmation(self) -> VerifyConfirmation:
        """Wired `VerifyConfirmation`."""
        a = self._adapters
        return VerifyConfirmation(
            jobs=a.jobs,
            payloads=a.payloads,
            chain=a.chain,
            transactions=a.transactions,
            signers=a.signers,
            registry=a.registry,
            appointments=a.registry_admin,
            deployment=a.settings.deployment,
        )

    @cached_property
    def reconcile(self) -> Reconcile:
        """Wired `Reconcile`."""
        a = self._adapters
        return Reconcile(
            jobs=a.jobs,
            usage=a.usage,
            invoices=a.invoices,
            metering_keys=a.metering_keys,
            registry=a.registry,
            chain=a.chain,
            chain_logs=a.chain_logs,
            transactions=a.transactions,
            signers=a.signers,
            prices=load_plans().price_book,
            deployment=a.settings.deployment,
            clock=a.clock,
        )


def _settings(environment: Mapping[str, str]) -> Settings:
    """Of a function, as far as administration needs them."""
    chain_id = environment.get("JOBS_CHAIN_ID", "0")
    if not chain_id.isdecimal():
        raise Refused(f"JOBS_CHAIN_ID is {chain_id!r}, and no number: set it to the chain's.")
    return Settings(
        aws_endpoint=environment[ENDPOINT],
        base_url="",
        rpc_url=environment.get("JOBS_CHAIN_RPC_URL", ""),
        chain_id=int(chain_id),
        registry=environment.get("JOBS_REGISTRY", ""),
        genesis_hash=environment.get("JOBS_GENESIS_HASH", ""),
        clock_url=environment.get("JOBS_CLOCK_URL"),
    )
