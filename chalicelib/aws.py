"""The real ports, on AWS and a chain, by the settings of a function."""

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.adapters.apigateway_keys import ApiGatewayMeteringKeys
from chalicelib.adapters.aws_backlogs import AwsBacklogs
from chalicelib.adapters.dynamodb_chain import DynamoDbChainTransactions
from chalicelib.adapters.dynamodb_identity import (
    DynamoDbClients,
    DynamoDbKeyRings,
    DynamoDbRegistry,
    DynamoDbTenants,
)
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.dynamodb_revocations import DynamoDbRevocations
from chalicelib.adapters.dynamodb_seats import DynamoDbSeats
from chalicelib.adapters.dynamodb_tallies import DynamoDbSingleUse, DynamoDbTallies
from chalicelib.adapters.dynamodb_usage import DynamoDbInvoices, DynamoDbUsage
from chalicelib.adapters.jose_tokens import JoseTokens
from chalicelib.adapters.s3 import S3Checkpoints, S3Payloads, S3Uploads
from chalicelib.adapters.secrets import SecretsManagerKeys, SecretsManagerKeyStore
from chalicelib.adapters.signers import SecretsManagerSignerKeys, StoredSigners
from chalicelib.adapters.sqs import SqsQueue
from chalicelib.adapters.sqs_letters import SqsDeadLetters
from chalicelib.adapters.system import RandomIds, RemoteClock, SystemClock
from chalicelib.aws_clients import QUICK, AwsClients
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.job_types.chain_logs import ChainLogs
from chalicelib.ports import Chain, Clock, RegistryAdmin, Sandbox
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_apigateway import APIGatewayClient
    from mypy_boto3_sqs import SQSClient


class Adapters(AwsClients):
    """The real ports, each made when it is first used: a cold function pays only for what it touches."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.ids = RandomIds()
        self.clock: Clock = RemoteClock(settings.clock_url) if settings.clock_url else SystemClock()

    def open_clients(self) -> None:
        """Makes the AWS clients that requests need; it sends nothing, and costs 0.1 s of CPU time."""
        _ = (self.tables, self.keys, self.queue, self.payloads, self.backlogs)

    @cached_property
    def jobs(self) -> DynamoDbJobs:
        """The `Jobs` port."""
        return DynamoDbJobs(self.tables)

    @cached_property
    def usage(self) -> DynamoDbUsage:
        """The `Usage` port."""
        return DynamoDbUsage(self.tables)

    @cached_property
    def invoices(self) -> DynamoDbInvoices:
        """The `Invoices` port."""
        return DynamoDbInvoices(self.tables)

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
        return SqsQueue(self.sqs)

    @cached_property
    def dead_letters(self) -> SqsDeadLetters:
        """The `DeadLetters` port."""
        return SqsDeadLetters(self.sqs)

    @cached_property
    def backlogs(self) -> AwsBacklogs:
        """The `Backlogs` port."""
        queues: SQSClient = self.client("sqs", patience=QUICK)
        return AwsBacklogs(self.quick_tables, SqsQueue(queues), self.clock)

    @cached_property
    def seats(self) -> DynamoDbSeats:
        """The `Seats` port."""
        return DynamoDbSeats(self.quick_tables)

    @cached_property
    def payloads(self) -> S3Payloads:
        """The `Payloads` port."""
        return S3Payloads(self.s3, self.links)

    @cached_property
    def checkpoints(self) -> S3Checkpoints:
        """The `Checkpoints` port."""
        return S3Checkpoints(self.s3)

    @cached_property
    def chain_logs(self) -> ChainLogs:
        """What runs read of the chain: opened when it is first used, in a run's own process."""
        from chalicelib.adapters.evm_logs import EvmLogs

        return EvmLogs(
            self.settings.rpc_url,
            chain_id=self.settings.chain_id,
            genesis_hash=self.settings.genesis_hash,
            final_depth=FINAL_DEPTH,
        )

    @cached_property
    def sandbox(self) -> Sandbox:
        """The `Sandbox` port."""
        from chalicelib.adapters.sandbox import ForkedSandbox

        return ForkedSandbox(monotonic=self.clock.monotonic)

    @cached_property
    def uploads(self) -> S3Uploads:
        """The `Uploads` port."""
        return S3Uploads(self.s3, self.links)

    @cached_property
    def keys(self) -> SecretsManagerKeys:
        """The `Keys` port."""
        return SecretsManagerKeys(self.secrets)

    @cached_property
    def signers(self) -> StoredSigners:
        """The `Signers` port."""
        return StoredSigners(self.tables, self.secrets)

    @cached_property
    def signer_keys(self) -> SecretsManagerSignerKeys:
        """The `SignerKeyStore` port."""
        return SecretsManagerSignerKeys(self.secrets, self.ids)

    @cached_property
    def key_store(self) -> SecretsManagerKeyStore:
        """The `KeyStore` port."""
        return SecretsManagerKeyStore(self.secrets)

    @cached_property
    def rings(self) -> DynamoDbKeyRings:
        """The `KeyRings` port."""
        return DynamoDbKeyRings(self.tables)

    @cached_property
    def registry(self) -> DynamoDbRegistry:
        """The `Registry` port."""
        return DynamoDbRegistry(self.tables)

    @cached_property
    def metering_keys(self) -> ApiGatewayMeteringKeys:
        """The `MeteringKeys` port."""
        client: APIGatewayClient = self.client("apigateway")
        return ApiGatewayMeteringKeys(client)

    @cached_property
    def tokens(self) -> JoseTokens:
        """The `Tokens` port."""
        return JoseTokens(self.keys, self.rings, self.clock, issuer=self.settings.base_url)

    @cached_property
    def revocations(self) -> DynamoDbRevocations:
        """The `Revocations` port."""
        return DynamoDbRevocations(self.tables)

    @cached_property
    def tallies(self) -> DynamoDbTallies:
        """The `Tallies` port."""
        return DynamoDbTallies(self.tables)

    @cached_property
    def single_use(self) -> DynamoDbSingleUse:
        """The `SingleUse` port."""
        return DynamoDbSingleUse(self.tables)

    @cached_property
    def registry_admin(self) -> RegistryAdmin:
        """The `RegistryAdmin` port, which no function needs."""
        from chalicelib.adapters.evm_admin import EvmRegistryAdmin

        return EvmRegistryAdmin(
            self.settings.rpc_url,
            chain_id=self.settings.chain_id,
            genesis_hash=self.settings.genesis_hash,
            registry=self.settings.registry,
            clock=self.clock,
        )

    @cached_property
    def chain(self) -> Chain:
        """The `Chain` port; most functions need none, and its module takes 20 ms to import."""
        from chalicelib.adapters.evm import EvmChain

        return EvmChain(
            self.settings.rpc_url,
            chain_id=self.settings.chain_id,
            genesis_hash=self.settings.genesis_hash,
            registry=self.settings.registry,
        )
