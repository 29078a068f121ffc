"""The clients of AWS that the real ports share, each with its patience."""

from functools import cached_property
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.s3 import Links
from chalicelib.adapters.system import back_off
from chalicelib.settings import Settings

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_sqs import SQSClient

# Well below the shortest function time limit, so that a hanging service becomes an answer, not a time-out.
CONNECT_TIMEOUT_SECONDS = 2
READ_TIMEOUT_SECONDS = 5
# For what a request can do without, an estimate or a seat: a service that takes longer has none to give.
QUICK = Config(connect_timeout=0.5, read_timeout=0.5, retries={"total_max_attempts": 1})


class AwsClients:
    """A client a service, on the configured endpoint, made when it is first used."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    def client(self, service: str, *, patience: Config | None = None) -> Any:
        """A boto3 client on the configured endpoint; `patience` replaces the usual time-outs and retries."""
        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=READ_TIMEOUT_SECONDS,
            retries={"mode": "standard", "max_attempts": 3},
            s3={"addressing_style": "path"},
        )
        return boto3.client(
            service,
            endpoint_url=self.settings.aws_endpoint,
            config=config.merge(patience) if patience else config,
        )

    @cached_property
    def tables(self) -> Tables:
        """DynamoDB."""
        client: DynamoDBClient = self.client("dynamodb")
        return Tables(client, backoff=back_off)

    @cached_property
    def quick_tables(self) -> Tables:
        """DynamoDB, for what a request can do without."""
        client: DynamoDBClient = self.client("dynamodb", patience=QUICK)
        return Tables(client, backoff=back_off)

    @cached_property
    def sqs(self) -> "SQSClient":
        """SQS."""
        client: SQSClient = self.client("sqs")
        return client

    @cached_property
    def s3(self) -> "S3Client":
        """S3."""
        client: S3Client = self.client("s3")
        return client

    @cached_property
    def links(self) -> Links:
        """Presigned URLs, by the credentials that the clients have."""
        credentials = boto3.Session().get_credentials()
        assert credentials is not None, "a function has its role's credentials"
        return Links(self.s3, credentials)

    @cached_property
    def secrets(self) -> "SecretsManagerClient":
        """Secrets Manager."""
        client: SecretsManagerClient = self.client("secretsmanager")
        return client
