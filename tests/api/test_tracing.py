"""What the functions' log says: one line a request, and one trace from a submit to the chain."""

import io
import json
from typing import Any

import pytest

import app as functions
from chalicelib.domain import tracing, wake_up
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import JobRef
from chalicelib.web.logs import TRACES_A_LINE, logger
from emulation.sqs_event import event_of
from emulation.worker import LambdaContext
from tests.api.calls import Call, calls
from tests.api.conftest import ACME, SPECIFICATION, Api
from tests.api.contract import Contract
from tests.api.provocations import send

TRACE, OTHER = "4bf92f3577b34da6a3ce929d0e0e4736", "0" * 31 + "7"
VALID = f"00-{TRACE}-00f067aa0ba902b7-01"
CALLS = list(calls(Contract(SPECIFICATION)))
# No machine has been up for so many seconds.
FAR_AWAY = 1e9
ONE_A_REQUEST = {
    "level",
    "location",
    "timestamp",
    "service",
    "message",
    "correlation_id",
    "operation_id",
    "status",
    "trace_id",
}


class Log:
    """The functions' log from now on."""

    def __init__(self) -> None:
        self.stream = io.StringIO()

    @property
    def text(self) -> str:
        return self.stream.getvalue()

    def lines(self, message: str | None = None) -> list[dict[str, Any]]:
        """Its lines, which are JSON documents; those of one message alone, if one is given."""
        found = [json.loads(line) for line in self.text.split("\n")[:-1]]
        return [line for line in found if message in (None, line["message"])]


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    log = Log()
    monkeypatch.setattr(logger.registered_handler, "stream", log.stream)
    return log


def submit(api: Api, key: str = "k1", **headers: str) -> str:
    body = {"type": "sha256.chain", "input": {"seed": "0x" + "00" * 32, "rounds": 3}}
    answer = api.http.post("/v1/jobs", json=body, headers={**api.bearer(), "Idempotency-Key": key, **headers})
    return str(answer.json()["id"])


def invoke(name: str, event: object) -> None:
    """A function's invocation that no request is behind."""
    context = LambdaContext(function_name=name, aws_request_id=f"invocation of {name}", deadline=FAR_AWAY)
    functions.app.handler_map[name](event, context)


def sqs_event(*job_ids: str, carries: str | None = None) -> object:
    attribute = {"traceparent": {"DataType": "String", "StringValue": carries}} if carries else {}
    body = wake_up.encode([JobRef(ACME, each) for each in job_ids])
    message = {"MessageId": "m", "ReceiptHandle": "h", "MD5OfBody": "", "Body": body}
    return event_of([{**message, "MessageAttributes": attribute}], "arn:aws:sqs:us-east-1:123456789012:jobs")


@pytest.mark.parametrize("carried", [None, VALID, f"00-{OTHER}-00f067aa0ba902b7-01", "forged\n{}"])
def test_one_trace_is_in_every_line_when_a_job_is_submitted_run_and_confirmed(
    api: Api, log: Log, carried: str | None
) -> None:
    job_id = submit(api, traceparent=VALID)
    invoke("run_job", sqs_event(job_id, carries=carried))
    invoke("confirm_jobs", sqs_event(job_id))
    api.adapters.chain.mine(FINAL_DEPTH)
    invoke("confirm_jobs", sqs_event())
    of_the_job = [line for line in log.lines() if line.get("operation_id") != "issueToken"]
    assert [(line["message"], line["trace_id"]) for line in of_the_job] == [
        ("answered", TRACE),
        ("woken", TRACE),
        ("confirmed", TRACE),
        ("confirmed", TRACE),
    ]
    assert tracing.followed() == ()


@pytest.mark.parametrize("sent", [VALID.upper(), f"ff{VALID[2:]}", f"{VALID}-more", "x" * 500, ""])
def test_a_trace_begins_anew_when_the_traceparent_is_malformed(api: Api, log: Log, sent: str) -> None:
    job_id = submit(api, traceparent=sent)
    [line] = [each for each in log.lines() if each.get("operation_id") == "submitJob"]
    assert line["trace_id"] == tracing.new_trace_id(line["correlation_id"])
    invoke("run_job", sqs_event(job_id))
    assert log.lines("woken")[0]["trace_id"] == line["trace_id"]


def test_a_trace_begins_anew_when_two_are_sent(api: Api, log: Log) -> None:
    api.http.get("/v1/health", headers=[("traceparent", VALID), ("traceparent", VALID)])
    [line] = log.lines("answered")
    assert line["trace_id"] == tracing.new_trace_id(line["correlation_id"])


def test_a_batchs_line_has_the_trace_of_each_job_when_many_are_confirmed(api: Api, log: Log) -> None:
    traces = [f"{n:032x}" for n in (1, 2, 3)]
    job_ids = [submit(api, trace, traceparent=VALID.replace(TRACE, trace)) for trace in traces]
    for job_id in job_ids:
        invoke("run_job", sqs_event(job_id))
    invoke("confirm_jobs", sqs_event(*job_ids))
    assert log.lines("confirmed")[0]["trace_id"].split() == traces


def test_a_line_stays_bounded_when_it_has_endless_traces(log: Log) -> None:
    with tracing.story(*(f"{n:032x}" for n in range(TRACES_A_LINE + 1))):
        logger.info("a batch")
    assert len(log.lines()[0]["trace_id"].split()) == TRACES_A_LINE


def test_an_invocation_has_a_trace_of_its_own_when_nobody_asked_for_it(api: Api, log: Log) -> None:
    event = dict.fromkeys(("version", "account", "region", "source", "id", "time", "detail-type"), "")
    invoke("sweep", {**event, "detail": {}, "resources": []})
    invoke("run_job", sqs_event("job_1"))
    assert [line["trace_id"] for line in log.lines()] == [
        tracing.new_trace_id("invocation of sweep"),
        tracing.new_trace_id("invocation of run_job"),
    ]


def test_a_message_that_is_not_ours_is_traced_when_it_is_dropped(api: Api, log: Log) -> None:
    event: Any = sqs_event(carries=VALID)
    event["Records"][0]["body"] = 'nonsense\n{"message": "forged"}'
    invoke("run_job", event)
    assert [(line["message"], line["trace_id"]) for line in log.lines()] == [("message dropped", TRACE)]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.operation_id)
def test_each_request_leaves_one_line_of_ids_alone_when_it_is_answered(
    api: Api, log: Log, call: Call
) -> None:
    auth = api.credentials() if call.path.startswith("/v1/oauth/") else None
    answer = send(api, call, headers={"traceparent": VALID}, auth=auth)
    *_, line = log.lines("answered")
    assert len(log.lines()) == (2 if call.scope else 1)  # the first is that of its token
    assert (line["operation_id"], line["status"]) == (call.operation_id, answer.status_code)
    assert (line["correlation_id"], line["trace_id"]) == (answer.headers["Request-Id"], TRACE)
    assert line.get("tenant_id") == (ACME if call.scope else None)
    is_problem = answer.headers.get("Content-Type") == "application/problem+json"
    assert line.get("code") == (answer.json()["code"] if is_problem else None)
    assert line.keys() - {"tenant_id", "code"} == ONE_A_REQUEST


def test_no_secret_and_nothing_sent_is_told_when_requests_are_logged(api: Api, log: Log) -> None:
    token = api.token()
    bearer = {"Authorization": f"Bearer {token}"}
    api.http.get("/v1/jobs", params={"marker-of-a-query": "marker-of-a-value"}, headers=bearer)
    api.http.post("/v1/jobs", json={"marker-of-a-body": 1}, headers={**bearer, "Idempotency-Key": "marker-k"})
    api.http.get("/v1/problems/marker-of-a-path")
    assert [line["status"] for line in log.lines()] == [200, 400, 400, 404]
    assert token not in log.text
    assert api.credentials()[1] not in log.text
    assert "marker" not in log.text


def test_the_place_is_told_and_no_text_when_a_defect_repeats_what_was_sent(
    api: Api, log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = '\n{"level": "CRITICAL", "message": "forged"}\n'

    def fail(*_: object, **__: object) -> None:
        raise LookupError(sent)

    headers = api.bearer()
    monkeypatch.setattr(api.adapters.jobs, "page", fail)
    answer = api.http.get("/v1/jobs", headers=headers)
    assert answer.status_code == 500
    *_, defect, answered = log.lines()
    assert (defect["message"], answered["message"]) == ("unexpected error", "answered")
    assert answered["code"] == "internal_error"
    assert "forged" not in log.text
    assert defect["exception"].endswith("builtins.LookupError\n")
    assert {defect["correlation_id"], answered["correlation_id"]} == {answer.headers["Request-Id"]}
