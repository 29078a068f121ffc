"""The demo's chapters about jobs: submitted, watched, compared, canceled."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from client.documents import ConfirmationPath, Job, Result, Status, Submitted
from client.verify import NOT_RECORDED
from emulation.demo.data import LEAF_ENCODING, LocalChain, TokenList, openzeppelin_root, token_list
from emulation.demo.scene import Scene

SEED = "0x" + "5e" * 32

ROUNDS = 6_000_000
"""About four seconds on one core: long enough to watch."""

SUBMITTED_FIRST = 3
"""Jobs that run to their end before anything else is shown."""

STATES = ("pending", "broadcast", "mined", "final")

FINAL_DEPTH = 3
"""Of the service, its own block included."""

FEW_ROUNDS = 1_000
"""Nothing to wait for but the chain."""

LONG_ROUNDS = 20_000_000
"""As long as the service takes: still running when it is canceled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The jobs under way, and what is needed to check them."""

    tokens: TokenList
    merkle_input: dict[str, Any]
    merkle_key: str
    merkle: Submitted
    chain: Submitted
    compact: Submitted
    local: LocalChain


def submit_three(scene: Scene) -> Work:
    """A Merkle root over real data, a computation that takes seconds, and one that is confirmed compactly."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("Three jobs are submitted")
    tokens = token_list(_contracts(scene))
    merkle_input = {"leaf_encoding": LEAF_ENCODING, "leaves": tokens.leaves}
    merkle_key = scene.system.new_idempotency_key()
    merkle = client.submit("merkle.root", merkle_input, idempotency_key=merkle_key)
    chain = client.submit("sha256.chain", {"seed": SEED, "rounds": ROUNDS})
    few = {"seed": SEED, "rounds": FEW_ROUNDS}
    compact = client.submit("sha256.chain", few, confirmation=ConfirmationPath.COMPACT)
    local = LocalChain(SEED, ROUNDS)
    local.start()
    size_kib = len(json.dumps(merkle_input)) / 1024
    screen.fact("caller", f"{scene.acme.tenant.name}, with a token by OAuth 2.0 client credentials")
    screen.fact("merkle.root", merkle.job.id)
    screen.fact("", f"{len(tokens.leaves):,} EVM tokens of {tokens.name}, {size_kib:.0f} KiB")
    screen.fact("sha256.chain", chain.job.id)
    screen.fact("", f"{ROUNDS:,} rounds of SHA-256")
    screen.fact("compact", compact.job.id)
    screen.fact("", f"{FEW_ROUNDS:,} rounds, to be confirmed by a batch's root and a proof")
    statuses = {each.job.status for each in (merkle, chain, compact)}
    screen.check("they are accepted and queued", statuses, {Status.QUEUED})
    return Work(
        tokens=tokens,
        merkle_input=merkle_input,
        merkle_key=merkle_key,
        merkle=merkle,
        chain=chain,
        compact=compact,
        local=local,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A job that has succeeded, and its result."""

    job: Job
    result: Result


def watch(scene: Scene, work: Work) -> tuple[Done, Done, Done]:
    """All run to their end; the chain's blocks are a second apart, and a job is final three deep."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("They run, and are confirmed on the chain")
    ids = (work.merkle.job.id, work.chain.job.id, work.compact.job.id)
    seen: dict[str, list[Job]] = {job_id: [] for job_id in ids}
    with screen.bars(dict(zip(ids, ("merkle.root", "sha256.chain", "compact"), strict=True))) as show:
        for job in client.follow(*ids):
            show(job)
            seen[job.id].append(job)
    screen.check("they succeeded", {jobs[-1].status for jobs in seen.values()}, {Status.SUCCEEDED})
    confirmations = [[each.confirmation for each in jobs if each.confirmation] for jobs in seen.values()]
    orders = [[STATES.index(each.state) for each in found] for found in confirmations]
    screen.check("no confirmation went back", orders, [sorted(order) for order in orders])
    shallow = [found[-1].depth for found in confirmations if found[-1].depth < FINAL_DEPTH]
    screen.check(f"each was at least {FINAL_DEPTH} blocks deep when it was final", shallow, [])
    merkle, chain, compact = (Done(job=seen[job_id][-1], result=client.result(job_id)) for job_id in ids)
    return merkle, chain, compact


def compare(scene: Scene, work: Work, merkle: Done, chain: Done) -> None:
    """The results are what other code computes from the same input."""
    screen = scene.screen
    screen.chapter("Their results are computed again, by other code")
    root = json.loads(merkle.result.content)["root"]
    with screen.busy("running @openzeppelin/merkle-tree"):
        theirs = openzeppelin_root(_contracts(scene), work.tokens.leaves)
    screen.fact("Merkle root", root)
    screen.check("@openzeppelin/merkle-tree computes the same root", theirs, root)
    digest = json.loads(chain.result.content)["digest"]
    screen.fact("last digest", digest)
    with screen.busy("computing"):
        ours = work.local.digest()
    screen.check(f"{ROUNDS:,} rounds in this process end in the same digest", ours, digest)


def cancel_running(scene: Scene) -> None:
    """A job is canceled while it runs: it ends there and never reaches the chain."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("A running job is canceled")
    job = client.submit("sha256.chain", {"seed": SEED, "rounds": LONG_ROUNDS}).job
    screen.fact("sha256.chain", f"{job.id}, {LONG_ROUNDS:,} rounds")
    with screen.bars({job.id: "sha256.chain"}) as show:
        for seen in client.follow(job.id):
            show(seen)
            if seen.progress:
                break
        canceled = client.cancel(job.id)
        show(canceled)
    screen.check("it was running", seen.status, Status.RUNNING)
    screen.check("it is canceled", canceled.status, Status.CANCELED)
    screen.check("canceling again gives the same answer", client.cancel(job.id), canceled)
    job_key = scene.registry.job_key(scene.acme.tenant.tenant_id, job.id)
    screen.check("the registry has nothing of it", scene.registry.recorded_hash(job_key), NOT_RECORDED)


def _contracts(scene: Scene) -> Path:
    assert scene.project.contracts is not None, "a stack with a registry has contracts"
    return scene.project.contracts
