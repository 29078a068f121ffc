"""The demo's chapters about what is refused or repeated: idempotency, validation, usage plans."""

import json
import math
import tomllib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from client.documents import ApiProblem, Submitted
from emulation.clock import SystemClock, monotonic
from emulation.demo.jobs import SEED, Work
from emulation.demo.scene import Party, Scene, refusal
from emulation.environment import edge_client

BURSTS = 4
"""Several times the burst limit, so that some are refused even where answers are slow and tokens drip in."""

AT_ONCE = 8
"""More would only wait for one another: this machine runs the functions too."""


def replay(scene: Scene, work: Work) -> None:
    """One key is one job: the same request gets the first answer again, another one is refused."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("A submit is repeated")
    screen.fact("Idempotency-Key", work.merkle_key)
    again = client.submit("merkle.root", work.merkle_input, idempotency_key=work.merkle_key)
    screen.check("the same request gets the same job", again.job.id, work.merkle.job.id)
    screen.check("as it was answered first, though it has succeeded since", again.job, work.merkle.job)
    screen.check("and Idempotent-Replayed says so", again.replayed)
    other = {**work.merkle_input, "leaves": work.tokens.leaves[:-1]}
    problem = refusal(lambda: client.submit("merkle.root", other, idempotency_key=work.merkle_key))
    screen.check("one leaf less under the same key is refused", problem.code, "idempotency_key_reused")
    screen.problem(problem)


def refuse_bad_request(scene: Scene) -> None:
    """Everything that is wrong is named at once."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("A bad request is refused")
    wrong = {"seed": "0x5e", "rounds": 0, "colour": "green"}
    screen.fact("input", json.dumps(wrong))
    problem = refusal(lambda: client.submit("sha256.chain", wrong))
    pointers = {error.pointer for error in problem.errors}
    screen.check("each mistake is named", pointers, {"/input/seed", "/input/rounds", "/input/colour"})
    screen.problem(problem)


def throttle(scene: Scene) -> None:
    """Requests beyond the plan's burst are refused by the gateway, replays too; after a pause they pass."""
    screen, tenant = scene.screen, scene.globex.tenant
    limits = _limits(scene)[tenant.plan]["submit"]
    burst, rate = limits["burst_limit"], limits["rate_limit"]
    count = BURSTS * burst
    screen.chapter("A usage plan limits its tenant")
    screen.fact("caller", f"{tenant.name}, plan {tenant.plan}: burst {burst}, then {rate:g} submits a second")
    key = scene.system.new_idempotency_key()
    began = monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(lambda _: _submit_small(scene.globex, key), range(count)))
    dripped = math.ceil(rate * (monotonic() - began))
    jobs = [answer.job.id for answer in answers if isinstance(answer, Submitted)]
    problems = [answer for answer in answers if isinstance(answer, ApiProblem)]
    screen.fact(f"{count} requests", f"{len(jobs)} admitted, {len(problems)} refused")
    screen.check("the burst is admitted, with what the rate adds", burst <= len(jobs) <= burst + dripped)
    screen.check("the rest is refused", {problem.code for problem in problems}, {"rate_limited"})
    screen.problem(problems[0])
    screen.check("they all had one key, so there is one job", len(set(jobs)), 1)
    scene.system.pause(problems[0].retry_after or 0)
    again = _submit_small(scene.globex, key)
    screen.check("after that pause its submit passes", isinstance(again, Submitted) and again.job.id in jobs)


def show_usage(scene: Scene) -> None:
    """What the gateway counted is what was sent: polling is metered apart from submits, refusals are free."""
    screen = scene.screen
    screen.chapter("The gateway's usage counters")
    gateway = edge_client("apigateway", scene.edge_url)
    plan_ids = {plan["name"]: plan["id"] for plan in gateway.get_usage_plans()["items"]}
    rows: list[tuple[str, ...]] = []
    for party in (scene.acme, scene.globex):
        for use in ("submit", "read"):
            plan = f"{party.tenant.plan}-{use}"
            used, remaining = _usage(gateway, plan_ids[plan], party.tenant.tenant_id)
            rows.append(
                (
                    party.tenant.name,
                    plan,
                    f"{used:,}",
                    f"{remaining:,}",
                    f"{party.counting.let_through[use]:,}",
                )
            )
    screen.table("tenant", "usage plan", "used", "remaining", "sent by us", rows=rows)
    screen.check("GetUsage counts exactly what we sent", [row[2] for row in rows], [row[4] for row in rows])


def _submit_small(party: Party, key: str) -> Submitted | ApiProblem:
    try:
        return party.client.submit("sha256.chain", {"seed": SEED, "rounds": 1}, idempotency_key=key)
    except ApiProblem as problem:
        return problem


def _limits(scene: Scene) -> dict[str, Any]:
    assert scene.project.plans is not None, "a stack with usage plans has a file of plans"
    plans: dict[str, Any] = tomllib.loads(scene.project.plans.read_text())["plans"]
    return plans


def _usage(gateway: Any, plan_id: str, tenant_id: str) -> tuple[int, int]:
    """Requests used and left, of the tenant's one key in the plan; the demo may have begun yesterday."""
    key = gateway.get_usage_plan_keys(usagePlanId=plan_id, nameQuery=tenant_id)["items"][0]
    today = datetime.fromtimestamp(SystemClock().now(), UTC).date()
    days = {"startDate": str(today - timedelta(days=1)), "endDate": str(today)}
    usage = gateway.get_usage(usagePlanId=plan_id, keyId=key["id"], **days)["items"][key["id"]]
    return sum(used for used, _ in usage), usage[-1][1]
