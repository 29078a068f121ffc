"""The functions of the Zama Jobs API: each hands its event to one handler or use case, and that is all.

`app` itself is the function `api_handler`; the others are triggered by the gateway, queues and a schedule.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from chalice.app import AuthRequest, Chalice, Response, SQSEvent

from chalicelib import container
from chalicelib.web import auth, handlers, messages
from chalicelib.web.chalice_edge import logger, serve
from chalicelib.web.http import Request
from chalicelib.web.http import Response as Reply

app = Chalice(app_name="zama-jobs")
wired = cache(container.from_environment)
if container.is_configured():
    # Once, while the app is loaded: else fifty cold functions that start together each pay for it.
    wired().open_clients()

# Handlers judge the media type themselves, so that a wrong one gets a problem document.
ANY_MEDIA_TYPE = ["*/*"]


def answer(handle: Callable[[Request], Reply]) -> Response:
    return serve(app, handle, base_url=wired().settings.base_url)


@app.authorizer()
def authorize(request: AuthRequest) -> dict[str, Any]:
    return auth.authorize(wired().tokens, credential=request.token, method_arn=request.method_arn)


@app.route("/v1/jobs", methods=["POST"], authorizer=authorize, content_types=ANY_MEDIA_TYPE)
def submit_job() -> Response:
    return answer(lambda r: handlers.submit_job(wired().submit_job, r))


@app.route("/v1/jobs/{job_id}", methods=["GET"], authorizer=authorize, content_types=ANY_MEDIA_TYPE)
def get_job(job_id: str) -> Response:
    return answer(lambda r: handlers.get_job(wired().get_job, r))


@app.route("/v1/jobs/{job_id}/cancel", methods=["POST"], authorizer=authorize, content_types=ANY_MEDIA_TYPE)
def cancel_job(job_id: str) -> Response:
    return answer(lambda r: handlers.cancel_job(wired().cancel_job, r))


@app.route("/v1/jobs/{job_id}/result", methods=["GET"], authorizer=authorize, content_types=ANY_MEDIA_TYPE)
def get_result(job_id: str) -> Response:
    return answer(lambda r: handlers.get_result(wired().get_result, r))


@app.route("/v1/oauth/token", methods=["POST"], content_types=ANY_MEDIA_TYPE)
def token() -> Response:
    return answer(lambda r: auth.token_endpoint(wired().issue_token, r))


@app.route("/.well-known/jwks.json", methods=["GET"], content_types=ANY_MEDIA_TYPE)
def keys() -> Response:
    return answer(lambda _: auth.key_set(wired().tokens))


@app.route("/v1/problems/{code}", methods=["GET"], content_types=ANY_MEDIA_TYPE)
def problem_page(code: str) -> Response:
    return answer(handlers.problem_page)


@app.route("/v1/health", methods=["GET"], content_types=ANY_MEDIA_TYPE)
def health() -> Response:
    return answer(lambda _: handlers.health())


# One job a message and one message a batch: a job that fails takes no other with it.
@app.on_sqs_message(queue="jobs-run", batch_size=1, maximum_concurrency=4)
def run_job(event: SQSEvent) -> None:
    for ref in messages.jobs_of(event.to_dict()):
        logger.info("woken", job_id=ref.job_id, outcome=wired().run_job(ref))


@app.on_sqs_message(queue="jobs-run-dead", batch_size=1)
def bury_job(event: SQSEvent) -> None:
    for ref in messages.jobs_of(event.to_dict()):
        wired().bury_job(ref)


# Two at once is the least that can be asked for; the second finds the lease taken and puts its jobs back.
@app.on_sqs_message(
    queue="jobs-confirm", batch_size=250, maximum_batching_window_in_seconds=1, maximum_concurrency=2
)
def confirm_jobs(event: SQSEvent) -> None:
    report = wired().confirm_jobs(messages.jobs_of(event.to_dict()))
    logger.info("confirmed", final=len(report.final), open=report.open_transactions)
    for ref in report.conflicts:
        logger.critical("confirmation conflict: the chain holds another hash", job_id=ref.job_id)


@app.on_sqs_message(queue="jobs-confirm-dead", batch_size=10)
def park_confirmation(event: SQSEvent) -> None:
    for ref in messages.jobs_of(event.to_dict()):
        logger.critical("confirmation parked: the sweep tries again", job_id=ref.job_id)


@app.schedule("rate(1 minute)")
def sweep(_event: Any) -> None:
    logger.info("swept", woken=wired().sweep())
