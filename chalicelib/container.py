"""Reads the environment once and wires the use cases to their adapters; nothing else knows both."""

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_chain import DynamoDbChainTransactions
from chalicelib.adapters.dynamodb_identity import DynamoDbClients, DynamoDbTenants
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.jose_tokens import JoseTokens
from chalicelib.adapters.s3 import S3Payloads
from chalicelib.adapters.secrets import SecretsManagerKeys
from chalicelib.adapters.sqs import SqsQueue
from chalicelib.adapters.system import RandomIds, RemoteClock, SystemClock, back_off
from chalicelib.job_types import JOB_TYPES
from chalicelib.plans import PlansFile, load_plans
from chalicelib.ports import Chain, Clock
from chalicelib.settings import Settings
from chalicelib.use_cases.cancel_job import CancelJob
from chalicelib.use_cases.confirm_jobs import ConfirmJobs
from chalicelib.use_cases.issue_token import IssueToken
from chalicelib.use_cases.read_job import GetJob, GetResult
from chalicelib.use_cases.run_job import BuryJob, RunJob
from chalicelib.use_cases.sender import SenderPorts
from chalicelib.use_cases.submit_job import SubmitJob
from chalicelib.use_cases.sweep import Sweep
from chalicelib.web import json_text

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# Well below the shortest function time limit, so that a hanging service becomes an answer, not a time-out.
CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 5


class Adapters:
    """The real ports, each made when it is first used: a cold function pays only for what it touches."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.ids = RandomIds()
        self.clock: Clock = RemoteClock(settings.clock_url) if settings.clock_url else SystemClock()

    def client(self, service: str) -> Any:
        """A boto3 client on the configured endpoint."""
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "max_attempts": 3},
            s3={"addressing_style": "path"},
        )
        return boto3.client(service, endpoint_url=self.settings.aws_endpoint, config=config)

    def open_clients(self) -> None:
        """Makes the AWS clients that requests need; it sends nothing, and costs 0.1 s of CPU time."""
        _ = (self.tables, self.keys, self.queue, self.payloads)

    @cached_property
    def tables(self) -> Tables:
        """DynamoDB."""
        client: DynamoDBClient = self.client("dynamodb")
        return Tables(client, backoff=back_off)

    @cached_property
    def jobs(self) -> DynamoDbJobs:
        """The `Jobs` port."""
        return DynamoDbJobs(self.tables)

    @cached_property
    def transactions(self) -> DynamoDbChainTransactions:
        """The `ChainTransactions` port."""
        return DynamoDbChainTransactions(self.tables)

    @cached_property
    def tenants(self) -> DynamoDbTenants:
        """The `Tenants` port."""
        return DynamoDbTenants(self.tables)

    @cached_property
    def clients(self) -> DynamoDbClients:
        """The `Clients` port."""
        return DynamoDbClients(self.tables)

    @cached_property
    def queue(self) -> SqsQueue:
        """The `Queue` port."""
        client: SQSClient = self.client("sqs")
        return SqsQueue(client)

    @cached_property
    def payloads(self) -> S3Payloads:
        """The `Payloads` port."""
        client: S3Client = self.client("s3")
        return S3Payloads(client)

    @cached_property
    def keys(self) -> SecretsManagerKeys:
        """The `Keys` port."""
        client: SecretsManagerClient = self.client("secretsmanager")
        return SecretsManagerKeys(client)

    @cached_property
    def tokens(self) -> JoseTokens:
        """The `Tokens` port."""
        return JoseTokens(self.keys, self.clock, issuer=self.settings.base_url)

    @cached_property
    def chain(self) -> Chain:
        """The `Chain` port; its module is imported here because web3 costs a cold function 650 ms."""
        from chalicelib.adapters.evm import EvmChain

        return EvmChain(
            self.settings.rpc_url, chain_id=self.settings.chain_id, registry=self.settings.registry
        )


class Container:
    """The use cases, wired."""

    def __init__(self, adapters: Adapters) -> None:
        self._adapters = adapters
        self.settings: Settings = adapters.settings

    @cached_property
    def plans(self) -> PlansFile:
        """The plans and their prices."""
        return load_plans()

    @cached_property
    def submit_job(self) -> SubmitJob:
        """Wired `SubmitJob`."""
        a = self._adapters
        return SubmitJob(
            jobs=a.jobs,
            queue=a.queue,
            tenants=a.tenants,
            plans=self.plans.entitlements,
            prices=self.plans.price_book,
            job_types=JOB_TYPES,
            clock=a.clock,
            ids=a.ids,
        )

    @cached_property
    def get_job(self) -> GetJob:
        """Wired `GetJob`."""
        return GetJob(jobs=self._adapters.jobs)

    @cached_property
    def get_result(self) -> GetResult:
        """Wired `GetResult`."""
        return GetResult(get_job=self.get_job, payloads=self._adapters.payloads)

    @cached_property
    def cancel_job(self) -> CancelJob:
        """Wired `CancelJob`."""
        return CancelJob(get_job=self.get_job, jobs=self._adapters.jobs, clock=self._adapters.clock)

    @cached_property
    def run_job(self) -> RunJob:
        """Wired `RunJob`."""
        a = self._adapters
        return RunJob(
            jobs=a.jobs,
            payloads=a.payloads,
            queue=a.queue,
            job_types=JOB_TYPES,
            clock=a.clock,
            ids=a.ids,
            canonical=json_text.canonical,
            parse=json_text.parse,
        )

    @cached_property
    def bury_job(self) -> BuryJob:
        """Wired `BuryJob`."""
        return BuryJob(jobs=self._adapters.jobs, clock=self._adapters.clock)

    @cached_property
    def confirm_jobs(self) -> ConfirmJobs:
        """Wired `ConfirmJobs`."""
        a = self._adapters
        return ConfirmJobs(
            SenderPorts(
                jobs=a.jobs,
                transactions=a.transactions,
                chain=a.chain,
                keys=a.keys,
                queue=a.queue,
                clock=a.clock,
                prices=self.plans.price_book,
                signer=self.settings.signer,
                chain_id=self.settings.chain_id,
                registry=self.settings.registry,
            )
        )

    @cached_property
    def sweep(self) -> Sweep:
        """Wired `Sweep`."""
        a = self._adapters
        return Sweep(jobs=a.jobs, queue=a.queue, clock=a.clock)

    @cached_property
    def issue_token(self) -> IssueToken:
        """Wired `IssueToken`."""
        a = self._adapters
        return IssueToken(
            clients=a.clients, tokens=a.tokens, clock=a.clock, ids=a.ids, issuer=self.settings.base_url
        )

    def open_clients(self) -> None:
        """See `Adapters.open_clients`."""
        self._adapters.open_clients()

    @property
    def tokens(self) -> JoseTokens:
        """The `Tokens` port, for the authorizer and the key set."""
        return self._adapters.tokens


def is_configured() -> bool:
    """Whether this process is to run functions, and does not only read the app, as packaging does."""
    return "JOBS_BASE_URL" in os.environ


def from_environment() -> Container:
    """The functions' container, on the real adapters."""
    return Container(Adapters(Settings.from_environment(os.environ)))
