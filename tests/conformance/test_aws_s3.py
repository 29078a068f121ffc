"""Objects live in the stack's time, and are gone when the lifecycle of their bucket says so."""

import gc
import tracemalloc
import weakref
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.s3.models import FakeKey, s3_backends

from emulation.aws import Aws
from emulation.clock import ManualClock
from tests.conformance.in_process import ACCOUNT, connect_in_process

DAY_SECONDS = 24 * 3600


@pytest.fixture
def s3(aws: Aws, clock: ManualClock) -> Any:
    """On a clock that stands at noon."""
    clock.advance((DAY_SECONDS * 3 / 2 - clock.now() % DAY_SECONDS) % DAY_SECONDS)
    return connect_in_process(aws, "s3")


@pytest.fixture
def bucket(s3: Any, name: str) -> str:
    """A bucket whose objects expire after a day."""
    s3.create_bucket(Bucket=name)
    _expire(s3, name, days=1)
    return name


def test_object_is_stamped_by_the_stacks_clock_when_stored(s3: Any, bucket: str, clock: ManualClock) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"")

    stamped = s3.head_object(Bucket=bucket, Key="a")["LastModified"]

    assert stamped == datetime.fromtimestamp(clock.now(), UTC)


def test_object_is_there_when_the_midnight_after_its_days_has_not_come(
    s3: Any, bucket: str, clock: ManualClock
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"")

    clock.advance(1.5 * DAY_SECONDS - 1)

    assert _names(s3, bucket) == ["a"]


@pytest.mark.parametrize("look", ["get", "head", "list", "copy"])
def test_object_is_gone_when_its_days_have_passed_at_midnight(
    s3: Any, bucket: str, clock: ManualClock, look: str
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"")
    clock.advance(1.5 * DAY_SECONDS)

    looks = {
        "get": lambda: s3.get_object(Bucket=bucket, Key="a"),
        "head": lambda: s3.head_object(Bucket=bucket, Key="a"),
        "copy": lambda: s3.copy_object(Bucket=bucket, Key="b", CopySource={"Bucket": bucket, "Key": "a"}),
    }
    if look == "list":
        assert _names(s3, bucket) == []
    else:
        with pytest.raises(ClientError, match=r"NoSuchKey|404"):
            looks[look]()


def test_object_lives_on_when_it_is_written_again(s3: Any, bucket: str, clock: ManualClock) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"1")
    clock.advance(DAY_SECONDS)
    s3.put_object(Bucket=bucket, Key="a", Body=b"2")

    clock.advance(0.5 * DAY_SECONDS)

    assert s3.get_object(Bucket=bucket, Key="a")["Body"].read() == b"2"


def test_object_lives_on_when_no_enabled_rule_has_its_prefix(
    s3: Any, bucket: str, clock: ManualClock
) -> None:
    rule = {"Filter": {"Prefix": "old/"}, "Expiration": {"Days": 1}}
    disabled = {"Filter": {"Prefix": ""}, "Expiration": {"Days": 1}, "Status": "Disabled", "ID": "off"}
    _set_rules(s3, bucket, [{**rule, "Status": "Enabled", "ID": "on"}, disabled])
    for key in ("old/a", "new/a"):
        s3.put_object(Bucket=bucket, Key=key, Body=b"")

    clock.advance(2 * DAY_SECONDS)

    assert _names(s3, bucket) == ["new/a"]


def test_object_is_gone_when_a_rule_comes_after_its_days(s3: Any, name: str, clock: ManualClock) -> None:
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="a", Body=b"")
    clock.advance(2 * DAY_SECONDS)
    assert _names(s3, name) == ["a"]

    _expire(s3, name, days=1)

    assert _names(s3, name) == []


def test_nothing_is_remembered_of_objects_that_are_gone(
    s3: Any, bucket: str, name: str, clock: ManualClock
) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"x")
    stored = weakref.ref(s3_backends[ACCOUNT]["aws"].buckets[bucket].keys["a"])
    clock.advance(2 * DAY_SECONDS)

    s3.list_buckets()
    s3.create_bucket(Bucket=f"{name}-other")  # whatever is asked, of whatever bucket
    _names(s3, f"{name}-other")
    gc.collect()

    assert stored() is None
    assert vars(FakeKey)["instances_tracked"] == []


def test_object_is_on_disk_when_it_is_large(s3: Any, bucket: str) -> None:
    content = b"x" * (40 * 1024 * 1024)  # a request costs moto some 12 MB, whatever its size
    s3.put_object(Bucket=bucket, Key="a", Body=content)
    copy = {"Bucket": bucket, "Key": "b", "CopySource": {"Bucket": bucket, "Key": "a"}}
    s3.copy_object(**copy)  # loads what moto loads once
    gc.collect()
    tracemalloc.start()
    s3.copy_object(**copy)
    kept, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert s3.get_object(Bucket=bucket, Key="b")["Body"].read() == content
    assert (kept < len(content) / 2, most < 1.5 * len(content)) == (True, True)


@pytest.mark.parametrize(
    "rule",
    [
        {"Filter": {"Tag": {"Key": "a", "Value": "b"}}, "Expiration": {"Days": 1}},
        {"Filter": {"Prefix": ""}, "Expiration": {"Date": datetime(2027, 1, 1, tzinfo=UTC)}},
        {"Filter": {"Prefix": ""}, "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}},
    ],
)
def test_rule_is_refused_when_it_is_not_carried_out(s3: Any, bucket: str, rule: dict[str, Any]) -> None:
    with pytest.raises(ClientError, match="NotImplemented"):
        _set_rules(s3, bucket, [{**rule, "Status": "Enabled", "ID": "a"}])


def _expire(s3: Any, bucket: str, *, days: int) -> None:
    rule = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}}
    _set_rules(s3, bucket, [rule])


def _set_rules(s3: Any, bucket: str, rules: list[dict[str, Any]]) -> None:
    s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": rules})


def _names(s3: Any, bucket: str) -> list[str]:
    return [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
