"""Makes what a CloudFormation template declares, by plain boto3 calls: tables, queues and buckets.

The template is the one that `chalice package` merges, so that what runs here is what would be deployed.
Functions and APIs in it are skipped, for the stack makes them otherwise; anything else unknown is refused,
never ignored.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from emulation.worker import REGION

Client = Callable[[str], Any]
"""Makes a boto3 client of a service."""

_MADE_OTHERWISE = ("AWS::Serverless::", "AWS::Lambda::", "AWS::ApiGateway::", "AWS::IAM::")
_ARNS = {
    "AWS::DynamoDB::Table": ("TableName", "arn:aws:dynamodb:{region}:{account}:table/{name}"),
    "AWS::SQS::Queue": ("QueueName", "arn:aws:sqs:{region}:{account}:{name}"),
    "AWS::S3::Bucket": ("BucketName", "arn:aws:s3:::{name}"),
}
"""By type of resource: the property that names it, and its ARN."""
_CLOUD_ONLY = {
    *("Tags", "PointInTimeRecoverySpecification", "SSESpecification", "DeletionProtectionEnabled"),
    *("SqsManagedSseEnabled", "BucketEncryption", "PublicAccessBlockConfiguration", "OwnershipControls"),
}
"""Properties that no function can see the effect of, and that the emulators do not imitate."""


class UnsupportedTemplate(Exception):
    """The template declares something that this emulation would have to ignore."""


def create_resources(template: Mapping[str, Any], client: Client) -> None:
    """Makes every table, queue and bucket of the template; safe to repeat."""
    declared = {name: each for name, each in template["Resources"].items() if not _made_otherwise(each)}
    unknown = [f"{name} ({each['Type']})" for name, each in declared.items() if each["Type"] not in _ARNS]
    if unknown:
        raise UnsupportedTemplate(f"not made by this emulation: {', '.join(unknown)}")
    named_by = {name: _ARNS[each["Type"]][0] for name, each in declared.items()}
    nameless = [
        f"{name} (its {named_by[name]})"
        for name, each in declared.items()
        if named_by[name] not in each.get("Properties", {})
    ]
    if nameless:
        raise UnsupportedTemplate(f"no name is made up by this emulation: {', '.join(nameless)}")
    makers = {
        "AWS::DynamoDB::Table": _create_table,
        "AWS::SQS::Queue": _create_queue,
        "AWS::S3::Bucket": _create_bucket,
    }
    account = client("sts").get_caller_identity()["Account"]  # not every emulator has the same
    # A dead-letter queue must exist before the queue that names it.
    for each in sorted(declared.values(), key=lambda each: "RedrivePolicy" in each["Properties"]):
        properties = {key: value for key, value in each["Properties"].items() if key not in _CLOUD_ONLY}
        makers[each["Type"]](resolve(properties, declared, account), client)


def _made_otherwise(resource: Mapping[str, Any]) -> bool:
    """Also true without a type: that adds to a resource of Chalice's, all of which are functions and APIs."""
    return "Type" not in resource or resource["Type"].startswith(_MADE_OTHERWISE)


def resolve(value: Any, resources: Mapping[str, Any], account: str) -> Any:
    """The value with every `Ref`, `Fn::GetAtt` of an ARN and `Fn::Sub` of a pseudo parameter replaced.

    >>> dead = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}
    >>> resolve({"target": {"Fn::GetAtt": ["Dead", "Arn"]}}, {"Dead": dead}, "123456789012")
    {'target': 'arn:aws:sqs:us-east-1:123456789012:dead'}
    >>> resolve([{"Fn::Sub": "payloads-${AWS::AccountId}"}], {}, "123456789012")
    ['payloads-123456789012']
    """
    pseudo = {"AWS::AccountId": account, "AWS::Region": REGION, "AWS::Partition": "aws"}
    match value:
        case {"Ref": str(name), **rest} if not rest:
            return pseudo.get(name) or _name(resources[name], resources, account)
        case {"Fn::GetAtt": [str(name), "Arn"]}:
            arn = _ARNS[resources[name]["Type"]][1]
            return arn.format(region=REGION, account=account, name=_name(resources[name], resources, account))
        case {"Fn::Sub": str(text)}:
            for name, meaning in pseudo.items():
                text = text.replace(f"${{{name}}}", meaning)
            return text
        case dict():
            return {key: resolve(each, resources, account) for key, each in value.items()}
        case list():
            return [resolve(each, resources, account) for each in value]
    return value


def _name(resource: Mapping[str, Any], resources: Mapping[str, Any], account: str) -> str:
    return str(resolve(resource["Properties"][_ARNS[resource["Type"]][0]], resources, account))


def _create_table(properties: dict[str, Any], client: Client) -> None:
    dynamodb = client("dynamodb")
    expiry = properties.pop("TimeToLiveSpecification", None)
    try:
        dynamodb.create_table(**properties)
    except dynamodb.exceptions.ResourceInUseException:
        return
    dynamodb.get_waiter("table_exists").wait(
        TableName=properties["TableName"], WaiterConfig={"Delay": 1, "MaxAttempts": 30}
    )
    if expiry:
        dynamodb.update_time_to_live(TableName=properties["TableName"], TimeToLiveSpecification=expiry)


def _create_queue(properties: dict[str, Any], client: Client) -> None:
    name = properties.pop("QueueName")
    attributes = {
        key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in properties.items()
    }
    client("sqs").create_queue(QueueName=name, Attributes=attributes)


def _create_bucket(properties: dict[str, Any], client: Client) -> None:
    name, lifecycle = properties.pop("BucketName"), properties.pop("LifecycleConfiguration", {"Rules": []})
    if properties:
        raise UnsupportedTemplate(f"of bucket {name} not made by this emulation: {', '.join(properties)}")
    rules = [_lifecycle_rule(name, rule) for rule in lifecycle["Rules"]]
    s3 = client("s3")
    try:
        s3.create_bucket(Bucket=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "BucketAlreadyOwnedByYou":
            raise
    if rules:
        s3.put_bucket_lifecycle_configuration(Bucket=name, LifecycleConfiguration={"Rules": rules})


def _lifecycle_rule(bucket: str, rule: dict[str, Any]) -> dict[str, Any]:
    """The rule as the API wants it; only an expiration by days, under a prefix, is made."""
    unknown = rule.keys() - {"Id", "Status", "Prefix", "ExpirationInDays"}
    if unknown or "ExpirationInDays" not in rule:
        raise UnsupportedTemplate(
            f"of a rule of bucket {bucket} only ExpirationInDays and Prefix are made: {sorted(rule)}"
        )
    return {
        **({"ID": rule["Id"]} if "Id" in rule else {}),
        "Status": rule["Status"],
        "Filter": {"Prefix": rule.get("Prefix", "")},
        "Expiration": {"Days": int(rule["ExpirationInDays"])},
    }
