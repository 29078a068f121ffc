"""Operations that act on the data plane's own state: GetUsage, UpdateUsage, FlushStageAuthorizersCache.

They run in the event loop's thread, where that state lives, and read and write the very counters that
enforcement uses.
"""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import TypeAlias
from urllib.parse import parse_qs

from emulation.clock import Clock
from emulation.gateway.api import UsagePlan, View
from emulation.gateway.authorizer import Authorizers
from emulation.gateway.control.answers import answer, failure
from emulation.gateway.observation import observe
from emulation.gateway.plan_rules import LARGEST_LIMIT
from emulation.gateway.quota import day_of
from emulation.gateway.token_bucket import Limit
from emulation.gateway.usage import Ledger
from emulation.http import Request, Response

# GetUsage lists this many keys a page unless told, and at most that many.
DEFAULT_PAGE, LARGEST_PAGE = 25, 500
# Longer than any period a caller can mean; bounds what one request can make the edge compute.
LONGEST_RANGE_DAYS = 366
# The clock starts with the first, and no period reaches beyond what dates can hold before the last.
FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2999, 12, 31)

_Operation: TypeAlias = "Callable[[LiveOperations, Request, re.Match[str]], Response]"


class _Rejected(Exception):
    """The request is not one that can be answered; carries the status and the error's type."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_type = error_type


class LiveOperations:
    """Answers the requests that are its own."""

    def __init__(
        self,
        *,
        clock: Clock,
        view: Callable[[], View],
        ledger: Ledger,
        authorizers: Authorizers,
        account: Limit,
    ) -> None:
        self._clock = clock
        self._view = view
        self._ledger = ledger
        self._authorizers = authorizers
        self._account = account

    def observe(self) -> Response:
        """What is left in every bucket and quota; no operation of the real service's."""
        return answer(200, observe(self._view(), self._ledger, self._account, self._clock.now()))

    def answer(self, request: Request) -> Response | None:
        """The answer, or None if the request is for the rest of the control plane."""
        for verb, pattern, operation in _OPERATIONS:
            if request.method == verb and (found := pattern.fullmatch(request.path.rstrip("/"))):
                try:
                    return operation(self, request, found)
                except _Rejected as rejected:
                    return failure(rejected.status, rejected.error_type, str(rejected))
        return None

    def _get_usage(self, request: Request, found: re.Match[str]) -> Response:
        plan = self._plan(found["plan"])
        query = {name: values[-1] for name, values in parse_qs(request.query).items()}
        days = _days(query.get("startDate"), query.get("endDate"))
        counted = self._ledger.counters.counted(plan.plan_id, days)  # a key that has left the plan too
        keys = [key for key in dict.fromkeys((*plan.key_ids, *counted)) if query.get("keyId") in (None, key)]
        size, position = _number(query.get("limit"), DEFAULT_PAGE), _number(query.get("position"), 0)
        page = keys[position : position + min(size, LARGEST_PAGE)]
        now = self._clock.now()
        values = {
            key: [[day.used, day.remaining] for day in self._ledger.counters.usage(plan, key, days, now)]
            for key in page
        }
        body = {"usagePlanId": plan.plan_id, "startDate": query["startDate"], "endDate": query["endDate"]}
        following = position + len(page)
        more = {"position": str(following)} if page and following < len(keys) else {}
        return answer(200, {**body, **more, "values": values})

    def _update_usage(self, request: Request, found: re.Match[str]) -> Response:
        plan = self._plan(found["plan"])
        if found["key"] not in plan.key_ids:
            raise _Rejected(404, "NotFoundException", "Invalid API Key identifier specified")
        if plan.quota is None:
            raise _Rejected(400, "BadRequestException", "Usage plan has no quota")
        remaining = _replaced_remaining(request)
        now = self._clock.now()
        counters = self._ledger.counters
        counters.set_remaining(plan.plan_id, found["key"], plan.quota, remaining=remaining, now=now)
        today = day_of(now)
        usage = counters.usage(plan, found["key"], [today], now)
        body = {"usagePlanId": plan.plan_id, "startDate": today.isoformat(), "endDate": today.isoformat()}
        return answer(200, {**body, "values": {found["key"]: [[day.used, day.remaining] for day in usage]}})

    def _flush_authorizers(self, request: Request, found: re.Match[str]) -> Response:
        if (found["api"], found["stage"]) not in self._view().stages:
            raise _Rejected(404, "NotFoundException", "Invalid stage identifier specified")
        self._authorizers.flush(found["api"], found["stage"])
        return answer(202, {})

    def _plan(self, plan_id: str) -> UsagePlan:
        plan = self._view().plans.get(plan_id)
        if plan is None:
            raise _Rejected(404, "NotFoundException", "Invalid Usage Plan ID specified")
        return plan


_OPERATIONS: tuple[tuple[str, re.Pattern[str], _Operation], ...] = (
    ("GET", re.compile(r"/usageplans/(?P<plan>[^/]+)/usage"), LiveOperations._get_usage),
    (
        "PATCH",
        re.compile(r"/usageplans/(?P<plan>[^/]+)/keys/(?P<key>[^/]+)/usage"),
        LiveOperations._update_usage,
    ),
    (
        "DELETE",
        re.compile(r"/restapis/(?P<api>[^/]+)/stages/(?P<stage>[^/]+)/cache/authorizers"),
        LiveOperations._flush_authorizers,
    ),
)


def _days(start: str | None, end: str | None) -> list[date]:
    try:
        first, last = _date(start), _date(end)
    except ValueError as error:
        message = "startDate and endDate are required, as YYYY-MM-DD"
        raise _Rejected(400, "BadRequestException", message) from error
    if first < FIRST_DAY or last > LAST_DAY:
        message = f"startDate and endDate are from {FIRST_DAY} to {LAST_DAY}"
        raise _Rejected(400, "BadRequestException", message)
    span = (last - first).days
    if not 0 <= span < LONGEST_RANGE_DAYS:
        raise _Rejected(400, "BadRequestException", "endDate is before startDate, or too long after it")
    return [first + timedelta(days=each) for each in range(span + 1)]


def _date(text: str | None) -> date:
    found = date.fromisoformat(text or "")
    if found.isoformat() != text:  # Python reads `2026-W48-1` too
        raise ValueError(f"{text} is not written as YYYY-MM-DD")
    return found


def _number(text: str | None, default: int) -> int:
    if text is None:
        return default
    if not re.fullmatch("[0-9]{1,9}", text):  # far beyond any list of keys
        raise _Rejected(400, "BadRequestException", "limit and position are numbers")
    return int(text)


def _replaced_remaining(request: Request) -> int:
    """The value of the last `replace /remaining`."""
    try:
        operations = json.loads(request.body)["patchOperations"]
        if {(each["op"], each["path"]) for each in operations} != {("replace", "/remaining")}:
            raise ValueError("the one operation is replace /remaining")
        remaining = int(str(operations[-1]["value"]))
        if not 0 <= remaining <= LARGEST_LIMIT:
            raise ValueError(f"what remains is from 0 to {LARGEST_LIMIT}")
    except (ValueError, TypeError, LookupError, RecursionError) as error:
        raise _Rejected(400, "BadRequestException", f"Invalid patch operation: {error}") from error
    return remaining
