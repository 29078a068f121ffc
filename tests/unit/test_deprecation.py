"""An operation that goes away says so for half a year, in headers that parsers of their RFCs understand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from email.utils import parsedate_to_datetime

import http_sfv
import httpx
import pytest

from chalicelib.web.deprecation import NOTICE, Deprecation, headers, is_sunset

BASE_URL = "https://jobs.example/prod"
DEPRECATED_AT = datetime(2027, 1, 31, 12, tzinfo=UTC)
ROW = Deprecation(
    deprecated_at=DEPRECATED_AT,
    sunset_at=DEPRECATED_AT + NOTICE,
    link="/v1/problems/operation_removed",
    successor="/v2/jobs",
)


def links(row: Deprecation) -> dict[str, str]:
    """The targets of the `Link` header, by relation, as a client of HTTP reads them."""
    answer = httpx.Response(200, headers=headers(row, base_url=BASE_URL))
    return {relation: link["url"] for relation, link in answer.links.items()}


def test_the_deprecation_is_a_structured_date_when_it_is_parsed() -> None:
    item = http_sfv.Item()
    item.parse(headers(ROW, base_url=BASE_URL)["Deprecation"].encode())
    assert item.value.replace(tzinfo=UTC) == DEPRECATED_AT


def test_the_sunset_is_an_http_date_when_it_is_parsed() -> None:
    sunset = headers(ROW, base_url=BASE_URL)["Sunset"]
    assert sunset == "Fri, 30 Jul 2027 12:00:00 GMT"
    assert parsedate_to_datetime(sunset) == ROW.sunset_at


def test_the_links_say_why_and_what_instead_when_there_is_a_successor() -> None:
    why = f"{BASE_URL}/v1/problems/operation_removed"
    assert links(ROW) == {"deprecation": why, "sunset": why, "successor-version": f"{BASE_URL}/v2/jobs"}


def test_no_link_names_a_successor_when_there_is_none() -> None:
    assert set(links(replace(ROW, successor=None))) == {"deprecation", "sunset"}


@pytest.mark.parametrize(
    ("now", "gone"),
    [
        (DEPRECATED_AT, False),
        (ROW.sunset_at - timedelta(microseconds=1), False),
        (ROW.sunset_at, True),
        (ROW.sunset_at + timedelta(days=400), True),
    ],
)
def test_an_operation_is_gone_from_its_sunset_on(now: datetime, gone: bool) -> None:  # noqa: FBT001
    assert is_sunset(ROW, now) == gone


@pytest.mark.parametrize(
    "mistake",
    [
        {"sunset_at": ROW.sunset_at - timedelta(seconds=1)},
        {"sunset_at": DEPRECATED_AT - timedelta(days=1)},
        {"sunset_at": ROW.sunset_at + timedelta(milliseconds=1)},
        {"sunset_at": ROW.sunset_at.replace(tzinfo=None)},
        {"deprecated_at": DEPRECATED_AT.astimezone(timezone(timedelta(hours=2)))},
        {"link": "v1/problems/operation_removed"},
        {"successor": "https://elsewhere.example/"},
    ],
    ids=str,
)
def test_a_deprecation_is_refused_when_it_breaks_the_policy(mistake: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"is not|at least 180 days"):
        replace(ROW, **mistake)
