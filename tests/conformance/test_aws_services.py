"""Requests reach the service they are meant for, and moto is changed exactly as its patches say."""

import json
import threading
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from moto.core.serialize import AttributePickerContext, DefaultAttributePicker, JSONSerializer
from moto.core.utils import get_service_model
from moto.dynamodb.models.dynamo_type import Item
from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from moto.sqs.models import Message

from emulation import aws_dynamodb, aws_s3, aws_sqs
from emulation.aws import TOLD_BY_SIGNATURE, Aws
from emulation.aws_patch import UnknownMotoVersion, require_patched_version
from emulation.clock import SystemClock
from emulation.http import Request
from tests.conformance.in_process import connect, connect_in_process
from tests.conformance.items import items, key


def test_start_is_refused_when_moto_is_of_another_version() -> None:
    with pytest.raises(UnknownMotoVersion, match=r"^emulation patches moto 5\.2\.5, found 5\.2\.6: install"):
        require_patched_version("5.2.6")


def test_a_test_exists_when_a_patch_names_it() -> None:
    written = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    clock = SystemClock()
    patches = (
        *aws_dynamodb.patches(clock),
        *aws_s3.patches(clock),
        *aws_sqs.patches(clock, threading.Event()),
    )
    named = [patch.test for patch in patches]

    assert [test for test in named if f"def {test}(" not in written] == []


def test_nothing_is_remembered_of_items_and_messages_that_are_gone(
    dynamodb: Any, sqs: Any, table: str, name: str
) -> None:
    dynamodb.put_item(TableName=table, Item={"pk": {"S": "a"}, "sk": {"S": "-"}})
    queue_url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.send_message(QueueUrl=queue_url, MessageBody="a")

    assert [len(vars(model)["instances_tracked"]) for model in (Item, Message)] == [0, 0]


@pytest.mark.parametrize("service", sorted(TOLD_BY_SIGNATURE))
def test_path_and_host_do_not_matter_when_the_signature_tells_the_service(service: str) -> None:
    application: Any = DomainDispatcherApplication
    dispatcher = application(lambda backend: backend)
    authorization = f"AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/{service}/aws4_request"
    told = {
        dispatcher.get_application(
            {
                "HTTP_AUTHORIZATION": authorization,
                "HTTP_X_AMZ_TARGET": "DynamoDB_20120810.GetItem",
                "HTTP_HOST": host,
                "PATH_INFO": path,
                "REQUEST_METHOD": method,
            }
        )
        for host in ("127.0.0.1:4566", "s3-control.localhost")
        for path in ("/", "/123456789012/queue", "/restapis/abc/resources", "/v20180820/x", "/v2/x")
        for method in ("GET", "POST")
    }

    assert told == {service}


def test_object_is_stored_and_read_when_urls_are_presigned(aws_endpoint: str, name: str) -> None:
    s3 = connect("s3", aws_endpoint)
    s3.create_bucket(Bucket=name)
    where = {"Bucket": name, "Key": "tenants/a b/é%2Fresult+1.json"}
    put_url, get_url = (
        s3.generate_presigned_url(operation, where) for operation in ("put_object", "get_object")
    )

    with urllib.request.urlopen(urllib.request.Request(put_url, b"{}", method="PUT")) as stored:
        assert stored.status == 200
    with urllib.request.urlopen(get_url) as read:
        assert read.read() == b"{}"
    assert s3.head_object(**where)["ContentLength"] == 2
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=name)["Contents"]] == [where["Key"]]


def test_metadata_keeps_its_underscores_when_an_object_is_signed(aws: Aws, name: str) -> None:
    s3 = connect_in_process(aws, "s3")
    s3.create_bucket(Bucket=name)

    s3.put_object(Bucket=name, Key="a", Body=b"", Metadata={"content_hash": "1", "content-hash-2": "2"})

    assert s3.head_object(Bucket=name, Key="a")["Metadata"] == {"content_hash": "1", "content-hash-2": "2"}


@pytest.mark.parametrize(
    ("service", "operation", "arguments"),
    [
        ("secretsmanager", "create_secret", {"Name": "signer", "SecretString": "s"}),
        ("apigateway", "create_rest_api", {"name": "jobs"}),
        ("sts", "get_caller_identity", {}),
        ("kms", "create_key", {}),
    ],
)
def test_service_answers_when_its_request_is_signed(
    aws: Aws, service: str, operation: str, arguments: dict[str, Any]
) -> None:
    answer = getattr(connect_in_process(aws, service), operation)(**arguments)

    assert answer["ResponseMetadata"]["HTTPStatusCode"] in {200, 201}


def test_request_goes_to_s3_when_it_has_no_signature(aws: Aws) -> None:
    answer = aws.handle(
        Request("GET", "/no-such-bucket", "", (("Host", "127.0.0.1:4566"),), b"", "127.0.0.1")
    )

    assert (answer.status, b"NoSuchBucket" in answer.body) == (404, True)


def test_mistake_is_answered_with_500_when_moto_does_not_know_the_operation(aws: Aws) -> None:
    headers = (
        ("Host", "127.0.0.1:4566"),
        (
            "Authorization",
            "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/dynamodb/aws4_request, Signature=0",
        ),
        ("X-Amz-Target", "DynamoDB_20120810.RestoreEverything"),
        ("Content-Type", "application/x-amz-json-1.0"),
    )

    assert aws.handle(Request("POST", "/", "", headers, b"{}", "127.0.0.1")).status == 500


EVERY_TYPE = {
    "s": {"S": ""},
    "n": {"N": "-1.5"},
    "b": {"B": b"\x00\xff"},
    "ss": {"SS": ["a"]},
    "ns": {"NS": ["1"]},
    "bs": {"BS": [b"\xff"]},
    "m": {"M": {"S": {"M": {}}}},
    "l": {"L": [{"NULL": True}, {"BOOL": False}, {"L": []}]},
}


def test_an_item_is_answered_as_it_was_put_whatever_its_types(dynamodb: Any, table: str) -> None:
    item = {**key("a"), **EVERY_TYPE}
    dynamodb.put_item(TableName=table, Item=item)
    assert dynamodb.get_item(TableName=table, Key=key("a"))["Item"] == item
    assert items(dynamodb, table) == [item]


def test_no_other_type_is_looked_for_when_a_value_is_answered(aws: Aws) -> None:
    asked = []

    def pick(context: AttributePickerContext) -> object:
        asked.append(context.key)
        return DefaultAttributePicker()(context)

    item = {"pk": {"S": "a"}, "m": {"M": {"n": {"N": "1"}}}}
    get_item = get_service_model("dynamodb").operation_model("GetItem")
    answer = JSONSerializer(get_item, value_picker=pick).serialize({"Item": item})
    assert json.loads(answer["body"]) == {"Item": item}
    assert set(asked) == {"Item", "ConsumedCapacity"}
