"""What AWS asks of the caller's role for each API call that the functions make, and for a presigned link.

By the Service Authorization Reference. What is not known here is an error, never nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.policies.iam import ACCOUNT, REGION, Permission

Parameters = Mapping[str, Any]

APPLICATION = "zama-jobs"
"""The folder of our secrets."""

# "Permissions for Put, Update, Delete, and Get actions are governed by the permissions used for the
# underlying operations" (Using IAM with DynamoDB transactions).
_TRANSACTED = {
    "Put": "dynamodb:PutItem",
    "Update": "dynamodb:UpdateItem",
    "Delete": "dynamodb:DeleteItem",
    "ConditionCheck": "dynamodb:ConditionCheckItem",
}


class UnknownCall(Exception):
    """Nobody has looked up yet what this call needs: do so, and add it here."""


def permissions_for(service: str, operation: str, parameters: Parameters) -> list[Permission]:
    """Every permission that the call needs to succeed."""
    translate = _CALLS.get((service, operation))
    if translate is None:
        raise UnknownCall(f"{service} {operation}")
    return list(translate(operation, parameters))


def permission_for_link(method: str, path: str) -> Permission:
    """What the signer of a link to `bucket/key` needs: whoever follows it acts in the signer's name."""
    bucket, _, _ = path.partition("/")
    return Permission({"GET": "s3:GetObject", "PUT": "s3:PutObject"}[method], objects_arn(bucket))


def permission_for_absence(operation: str, parameters: Parameters) -> Permission:
    """What S3 asks of who is told that an object is not there: without it the answer is 403, and not 404."""
    source = parameters["CopySource"]["Bucket"] if operation == "CopyObject" else parameters["Bucket"]
    return Permission("s3:ListBucket", f"arn:aws:s3:::{source}")


def table_arn(name: str) -> str:
    """The ARN of a table of ours."""
    return f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{name}"


def objects_arn(bucket: str) -> str:
    """The ARN of whatever is in a bucket: its keys begin with tenants, whom no policy can know."""
    return f"arn:aws:s3:::{bucket}/*"


def queue_arn(name: str) -> str:
    """The ARN of a queue of ours."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def _item(operation: str, parameters: Parameters) -> Iterator[Permission]:
    yield Permission(f"dynamodb:{operation}", table_arn(parameters["TableName"]))


def _query(operation: str, parameters: Parameters) -> Iterator[Permission]:
    """An index is a resource of its own, beside its table."""
    index = f"/index/{parameters['IndexName']}" if "IndexName" in parameters else ""
    yield Permission(f"dynamodb:{operation}", table_arn(parameters["TableName"]) + index)


def _batch(operation: str, parameters: Parameters) -> Iterator[Permission]:
    for table in parameters["RequestItems"]:
        yield Permission(f"dynamodb:{operation}", table_arn(table))


def _transaction(operation: str, parameters: Parameters) -> Iterator[Permission]:
    for action in parameters["TransactItems"]:
        for kind, details in action.items():
            yield Permission(_TRANSACTED[kind], table_arn(details["TableName"]))


def _queue(operation: str, parameters: Parameters) -> Iterator[Permission]:
    name = parameters.get("QueueName") or parameters["QueueUrl"].rpartition("/")[2]
    yield Permission(f"sqs:{operation}", queue_arn(name))


def _secret(operation: str, parameters: Parameters) -> Iterator[Permission]:
    """A secret's ARN ends in six characters of chance, also that which CreateSecret is asked for under.

    `-??????` stands for them, as the service's guide advises: `-*` would allow secrets of longer names, too.
    Those of a folder are one for each address or key id, so none of them can be named.
    """
    name = parameters.get("SecretId") or parameters["Name"]
    folder = name.rpartition("/")[0]
    named = f"{name}-??????" if folder == APPLICATION else f"{folder}/*"
    arn = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{named}"
    yield Permission(f"secretsmanager:{operation}", arn)


def _get_object(operation: str, parameters: Parameters) -> Iterator[Permission]:
    yield Permission("s3:GetObject", objects_arn(parameters["Bucket"]))


def _put_object(operation: str, parameters: Parameters) -> Iterator[Permission]:
    yield Permission("s3:PutObject", objects_arn(parameters["Bucket"]))


def _copy_object(operation: str, parameters: Parameters) -> Iterator[Permission]:
    """Our objects have no tags; a copy of one that has asks for s3:GetObjectTagging and more."""
    yield Permission("s3:GetObject", objects_arn(parameters["CopySource"]["Bucket"]))
    yield from _put_object(operation, parameters)


_CALLS: Mapping[tuple[str, str], Callable[[str, Parameters], Iterator[Permission]]] = {
    ("dynamodb", "GetItem"): _item,
    ("dynamodb", "BatchGetItem"): _batch,
    ("dynamodb", "PutItem"): _item,
    ("dynamodb", "UpdateItem"): _item,
    ("dynamodb", "DeleteItem"): _item,
    ("dynamodb", "Query"): _query,
    ("dynamodb", "TransactWriteItems"): _transaction,
    ("sqs", "GetQueueUrl"): _queue,
    ("sqs", "GetQueueAttributes"): _queue,
    ("sqs", "SendMessage"): _queue,
    ("secretsmanager", "GetSecretValue"): _secret,
    ("secretsmanager", "CreateSecret"): _secret,
    ("secretsmanager", "DeleteSecret"): _secret,
    ("s3", "GetObject"): _get_object,
    ("s3", "HeadObject"): _get_object,
    ("s3", "PutObject"): _put_object,
    ("s3", "CopyObject"): _copy_object,
}
