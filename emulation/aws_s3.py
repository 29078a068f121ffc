"""What of moto's S3 is replaced: its clock, its large objects, the expiration that lifecycle rules declare.

After "Lifecycle rules: Based on an object's age" of the S3 user guide: an object expires at the midnight
(UTC) after its age is reached. On AWS it may be removed later; here it is gone at once, so that nobody counts
on it.
Deliberately absent: whatever else a rule may say, which is refused, and the header `x-amz-expiration`.

Invariant: these functions run under the service's lock (`emulation.aws`).
"""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from weakref import WeakKeyDictionary

from moto.s3 import models
from moto.s3.exceptions import S3ClientError

from emulation.aws_patch import Patch, Untracked
from emulation.clock import Clock

_DAY_SECONDS = 24 * 3600

_moto_get_bucket = models.S3Backend.get_bucket
_moto_set_lifecycle = models.FakeBucket.set_lifecycle
_moto_value: Any = models.FakeKey.value


class UnsupportedRule(S3ClientError):
    """A lifecycle rule says more than days of expiration and a prefix."""

    def __init__(self) -> None:
        super().__init__(
            "NotImplemented", "of lifecycle rules, this emulation has Expiration.Days and a prefix"
        )


def is_expired(*, modified_at: float, days: int, now: float) -> bool:
    """Whether the midnight after the age of `days` has come (Unix seconds).

    >>> noon = 12 * 3600
    >>> [is_expired(modified_at=noon, days=1, now=day * 86400) for day in (1, 1.999, 2)]
    [False, False, True]
    """
    return int(now // _DAY_SECONDS) > int(modified_at // _DAY_SECONDS) + days


def set_lifecycle(bucket: models.FakeBucket, rules: list[dict[str, Any]]) -> None:
    """moto's, for rules that are carried out; any other is refused."""
    for rule in rules:
        if (
            not rule.keys() <= {"ID", "Status", "Prefix", "Filter", "Expiration"}
            or not (rule.get("Filter") or {}).keys() <= {"Prefix"}
            or (rule.get("Expiration") or {}).keys() != {"Days"}
        ):
            raise UnsupportedRule
    _moto_set_lifecycle(bucket, rules)


def get_bucket_of_today(clock: Clock) -> Callable[[models.S3Backend, str], models.FakeBucket]:
    """The backend's look at a bucket, which every request takes: nothing expired is in any bucket.

    What exists on a day expires on a later one, so each bucket is searched once a day and after a change of
    its rules.
    """
    searched: WeakKeyDictionary[models.FakeBucket, tuple[int, object]] = WeakKeyDictionary()

    def get_bucket(backend: models.S3Backend, bucket_name: str) -> models.FakeBucket:
        now = clock.now()
        today = int(now // _DAY_SECONDS)
        for bucket in list(backend.buckets.values()):
            if searched.get(bucket) != (today, bucket.rules):
                searched[bucket] = today, bucket.rules
                _remove_expired(backend, bucket, now)
        return _moto_get_bucket(backend, bucket_name)

    return get_bucket


def _remove_expired(backend: models.S3Backend, bucket: models.FakeBucket, now: float) -> None:
    limits = [
        (rule.prefix or (rule.filter and rule.filter.prefix) or "", int(rule.expiration_days))
        for rule in bucket.rules
        if rule.status == "Enabled" and rule.expiration_days
    ]
    for name, key in list(bucket.keys.items()) if limits else ():
        modified_at = key.last_modified.replace(tzinfo=UTC).timestamp()
        if isinstance(key, models.FakeKey) and any(
            name.startswith(prefix) and is_expired(modified_at=modified_at, days=days, now=now)
            for prefix, days in limits
        ):
            backend.delete_object(bucket.name, name)


def _read(key: models.FakeKey) -> bytes:
    if key.contentsize <= key._max_buffer_size:
        return bytes(_moto_value.fget(key))
    with key.lock:
        key._value_buffer.flush()
        return os.pread(key._value_buffer.fileno(), key.contentsize, 0)


def _write(key: models.FakeKey, content: bytes) -> None:
    if len(content) > key._max_buffer_size:
        key._value_buffer.rollover()
    _moto_value.fset(key, content)


def patches(clock: Clock) -> tuple[Patch, ...]:
    """What of moto's S3 is replaced, and why."""
    return (
        Patch(
            owner=models,
            name="utcnow",
            replacement=lambda: datetime.fromtimestamp(clock.now(), UTC).replace(tzinfo=None),
            reason="moto stamps objects by the machine's clock",
            test="test_object_is_stamped_by_the_stacks_clock_when_stored",
        ),
        Patch(
            owner=models.S3Backend,
            name="get_bucket",
            replacement=get_bucket_of_today(clock),
            reason="moto keeps lifecycle rules and carries none out",
            test="test_object_is_gone_when_its_days_have_passed_at_midnight",
        ),
        Patch(
            owner=models.FakeBucket,
            name="set_lifecycle",
            replacement=set_lifecycle,
            reason="a rule that is not carried out must not be taken",
            test="test_rule_is_refused_when_it_is_not_carried_out",
        ),
        Patch(
            owner=models.FakeKey,
            name="value",
            replacement=property(_read, _write),
            reason="moto copies a large object in memory before it writes it to disk, and when it reads it",
            test="test_object_is_on_disk_when_it_is_large",
        ),
        Patch(
            owner=models.FakeKey,
            name="instances_tracked",
            replacement=Untracked(),
            reason="moto remembers every object ever stored",
            test="test_nothing_is_remembered_of_objects_that_are_gone",
        ),
    )
