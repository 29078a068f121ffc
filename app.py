"""The functions of the Zama Jobs API: each hands its event to one handler or use case, and that is all.

`app` itself is the function `api_handler`; the others are triggered by the gateway, queues and a schedule.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from chalice.app import AuthRequest, Chalice, Response, SQSEvent

from chalicelib import container
from chalicelib.domain import polling, tracing
from chalicelib.web import auth, messages, operations
from chalicelib.web.chalice_edge import serve
from chalicelib.web.handlers import access, job_types, jobs, listing, results, service, uploads, usage
from chalicelib.web.http import Request
from chalicelib.web.http import Response as Reply
from chalicelib.web.logs import failures_told, logger
from chalicelib.web.operations import Operation

# Its logger has the name of ours; had the standard output been replaced meanwhile, Chalice would add a
# handler of its own to it, and keep all but errors from both.
app = Chalice(app_name="zama-jobs", configure_logs=False)
wired = cache(container.from_environment)
if container.is_configured():
    # Once, while the app is loaded: else fifty cold functions that start together each pay for it.
    wired().open_clients()

# Handlers judge the media type themselves, so that a wrong one gets a problem document.
ANY_MEDIA_TYPE = ["*/*"]


def route(operation: Operation) -> Callable[[Callable[..., Response]], Callable[..., Response]]:
    """Routes the operation's method and path to a view, behind the authorizer if it has a scope."""
    access = {"authorizer": authorize} if operation.scope else {}
    decorator: Callable[[Callable[..., Response]], Callable[..., Response]] = app.route(
        operation.path, methods=[operation.method], content_types=ANY_MEDIA_TYPE, **access
    )
    return decorator


def answer(operation: Operation | None, handle: Callable[[Request], Reply]) -> Response:
    return serve(
        app, operation, handle, base_url=wired().settings.base_url, requirements=wired().requirements
    )


@app.authorizer()
def authorize(request: AuthRequest) -> dict[str, Any]:
    with failures_told():
        return auth.authorize(wired().verify_token, credential=request.token, method_arn=request.method_arn)


@route(operations.SUBMIT_JOB)
def submit_job() -> Response:
    return answer(operations.SUBMIT_JOB, lambda r: jobs.submit_job(wired().submit_job, r))


@route(operations.LIST_JOBS)
def list_jobs() -> Response:
    return answer(operations.LIST_JOBS, lambda r: listing.list_jobs(wired().list_jobs, wired().cursors, r))


@route(operations.GET_JOB)
def get_job(job_id: str) -> Response:
    return answer(operations.GET_JOB, lambda r: jobs.get_job(wired().await_job, wired().estimate_wait, r))


@route(operations.CANCEL_JOB)
def cancel_job(job_id: str) -> Response:
    return answer(operations.CANCEL_JOB, lambda r: jobs.cancel_job(wired().cancel_job, r))


@route(operations.GET_RESULT)
def get_result(job_id: str) -> Response:
    return answer(operations.GET_RESULT, lambda r: results.get_result(wired().get_result, r))


@route(operations.CREATE_UPLOAD)
def create_upload() -> Response:
    return answer(operations.CREATE_UPLOAD, lambda r: uploads.create_upload(wired().create_upload, r))


@route(operations.LIST_JOB_TYPES)
def list_job_types() -> Response:
    return answer(operations.LIST_JOB_TYPES, lambda r: job_types.list_job_types(wired().job_types, r))


@route(operations.GET_USAGE)
def get_usage() -> Response:
    return answer(operations.GET_USAGE, lambda r: usage.get_usage(wired().read_usage, r))


@route(operations.GET_INVOICE)
def get_invoice(period: str) -> Response:
    return answer(operations.GET_INVOICE, lambda r: usage.get_invoice(wired().read_invoice, r))


@route(operations.ISSUE_TOKEN)
def token() -> Response:
    return answer(operations.ISSUE_TOKEN, lambda r: access.issue_token(wired().issue_token, r))


@route(operations.REVOKE_TOKEN)
def revoke_token() -> Response:
    return answer(operations.REVOKE_TOKEN, lambda r: access.revoke_token(wired().revoke_token, r))


@route(operations.GET_KEYS)
def keys() -> Response:
    return answer(operations.GET_KEYS, lambda _: access.key_set(wired().tokens))


@route(operations.GET_PROBLEM)
def problem_page(code: str) -> Response:
    return answer(operations.GET_PROBLEM, service.problem_page)


@route(operations.GET_HEALTH)
def health() -> Response:
    return answer(operations.GET_HEALTH, service.health)


def method_not_allowed(**_path_parameters: str) -> Response:
    return answer(None, service.method_not_allowed)


for path in operations.paths():
    app.route(path, methods=list(operations.other_methods(path)), content_types=ANY_MEDIA_TYPE)(
        method_not_allowed
    )


@app.middleware("sqs")
@app.middleware("scheduled")
def traced(event: Any, invoke: Callable[[Any], Any]) -> Any:
    """What no request is behind follows the traces of its messages, or else one of its own."""
    known = messages.trace_ids_of(event.to_dict()) if isinstance(event, SQSEvent) else []
    with tracing.story(*(known or [tracing.new_trace_id(event.context.aws_request_id)])), failures_told():
        return invoke(event)


# One job a message: one that fails takes no other with it.
@app.on_sqs_message(queue="jobs-run", batch_size=1, maximum_concurrency=polling.WORKERS)
def run_job(event: SQSEvent) -> None:
    context: Any = event.context
    for ref in messages.jobs_of(event.to_dict()):
        # Asked last: a cold function spends some of it on what it needs.
        ran = wired().run_job(ref, seconds=context.get_remaining_time_in_millis() / 1000)
        told = logger.warning if ran.detail else logger.info
        told("woken", job_id=(ran.job or ref).job_id, outcome=ran.outcome, detail=ran.detail)


# Two at once is the least that can be asked for; the second finds the lease taken and puts its jobs back.
@app.on_sqs_message(
    queue="jobs-confirm",
    batch_size=polling.CONFIRMED_A_LOOK,
    maximum_batching_window_in_seconds=1,
    maximum_concurrency=2,
)
def confirm_jobs(event: SQSEvent) -> None:
    report = wired().confirm_jobs(messages.jobs_of(event.to_dict()))
    tracing.follow(*report.trace_ids)
    logger.info("confirmed", final=len(report.final), open=report.open_transactions)
    for alarm, told in report.alarms.items():
        logger.critical("sender alarm", alarm=alarm, told=told)
    for ref in report.conflicts:
        logger.critical("confirmation conflict: the chain holds another hash", job_id=ref.job_id)


@app.schedule("rate(1 day)")
def rotate_keys(_event: Any) -> None:
    ring = wired().rotate_keys.on_schedule(actor="schedule")
    logger.info("token keys", kids=[key.kid for key in ring.keys])


@app.schedule("rate(1 day)")
def close_period(_event: Any) -> None:
    for tenant, closed in wired().close_periods():
        if closed.invoice:
            logger.info(
                "closed", tenant_id=tenant.tenant_id, outcome=closed.outcome, number=closed.invoice.number
            )


@app.schedule("rate(1 minute)")
def sweep(_event: Any) -> None:
    swept = wired().sweep()
    logger.info("swept", overdue=swept.overdue)
    for queue, count in swept.dead_letters.items():
        logger.critical("dead letters: see `admin dead-letters list`", queue=queue, count=count)
