"""The demo's chapters about jobs: submitted, watched, compared, verified on the chain, canceled."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from client.documents import Job, Result, Status, Submitted
from client.verify import NOT_RECORDED
from emulation.demo.data import LEAF_ENCODING, LocalChain, TokenList, openzeppelin_root, token_list
from emulation.demo.scene import Scene

SEED = "0x" + "5e" * 32

ROUNDS = 6_000_000
"""About four seconds on one core: long enough to watch."""

LONG_ROUNDS = 20_000_000
"""As long as the service takes: still running when it is canceled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The two jobs under way, and what is needed to check them."""

    tokens: TokenList
    merkle_input: dict[str, Any]
    merkle_key: str
    merkle: Submitted
    chain: Submitted
    local: LocalChain


def submit_two(scene: Scene) -> Work:
    """A Merkle root over real data, and a computation that takes seconds."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("Two jobs are submitted")
    tokens = token_list(_contracts(scene))
    merkle_input = {"leaf_encoding": LEAF_ENCODING, "leaves": tokens.leaves}
    merkle_key = scene.system.new_idempotency_key()
    merkle = client.submit("merkle.root", merkle_input, idempotency_key=merkle_key)
    chain = client.submit("sha256.chain", {"seed": SEED, "rounds": ROUNDS})
    local = LocalChain(SEED, ROUNDS)
    local.start()
    size_kib = len(json.dumps(merkle_input)) / 1024
    screen.fact("caller", f"{scene.acme.tenant.name}, with a token by OAuth 2.0 client credentials")
    screen.fact("merkle.root", merkle.job.id)
    screen.fact("", f"{len(tokens.leaves):,} EVM tokens of {tokens.name}, {size_kib:.0f} KiB")
    screen.fact("sha256.chain", chain.job.id)
    screen.fact("", f"{ROUNDS:,} rounds of SHA-256")
    screen.check("both are accepted and queued", {merkle.job.status, chain.job.status}, {Status.QUEUED})
    return Work(
        tokens=tokens,
        merkle_input=merkle_input,
        merkle_key=merkle_key,
        merkle=merkle,
        chain=chain,
        local=local,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """A job that has succeeded, and its result."""

    job: Job
    result: Result


def watch(scene: Scene, work: Work) -> tuple[Done, Done]:
    """Both jobs run to their end; the chain's blocks are a second apart, and a job is final three deep."""
    screen, client = scene.screen, scene.acme.client
    screen.chapter("They run, and are confirmed on the chain")
    ids = (work.merkle.job.id, work.chain.job.id)
    ended: dict[str, Job] = {}
    with screen.bars({ids[0]: "merkle.root", ids[1]: "sha256.chain"}) as show:
        for job in client.follow(*ids):
            show(job)
            ended[job.id] = job
    screen.check("both succeeded", {job.status for job in ended.values()}, {Status.SUCCEEDED})
    merkle, chain = (Done(job=ended[job_id], result=client.result(job_id)) for job_id in ids)
    return merkle, chain


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


def verify(scene: Scene, done: Done) -> None:
    """The result against the chain, with the node, the registry's address and published hashes alone."""
    screen = scene.screen
    screen.chapter("The result is verified against the chain")
    screen.fact("content", done.result.content)
    screen.fact("salt", done.result.salt)
    tenant_id = scene.acme.tenant.tenant_id
    report = scene.registry.verify(done.job, done.result, tenant_id=tenant_id)
    for name, finding in report.findings():
        screen.fact(name, finding.found)
    screen.check("keccak256(salt ‖ keccak256(content)) is the commitment", report.commitment.agrees)
    screen.check("the job's key is of this chain, registry, tenant and job", report.job_key.agrees)
    screen.check("the registry holds that commitment under that key", report.recorded_hash.agrees)
    screen.check(
        "block and transaction are those of its event", report.block.agrees and report.transaction.agrees
    )
    forged = replace(done.result, content=done.result.content.replace("0x", "0y", 1))
    found = scene.registry.verify(done.job, forged, tenant_id=tenant_id)
    screen.check(
        "a result with one character changed does not verify", found.recorded_hash.agrees, expected=False
    )


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
