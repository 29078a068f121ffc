"""The demo's chapters about the chain: results and proofs that anyone can verify, and forgeries."""

from dataclasses import replace

from client.verify import CompactReport
from emulation.demo.jobs import Done
from emulation.demo.scene import Scene


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


def verify_compact(scene: Scene, done: Done) -> None:
    """A job that shares one slot of the registry with its batch, by the proof that it carries."""
    screen = scene.screen
    screen.chapter("A compact batch is verified by the job's proof")
    confirmation = done.job.confirmation
    assert confirmation is not None, "it is final"
    proof = confirmation.proof
    assert proof is not None, "it is compact"
    screen.fact("word", proof.word)
    screen.fact("root", proof.root)
    screen.fact("place", f"{proof.bit} of {int(proof.mask, 16).bit_count()}, {len(proof.siblings)} siblings")
    screen.fact("gas", f"{confirmation.gas_used:,}, the job's share of its batch")
    tenant_id = scene.acme.tenant.tenant_id
    report = scene.registry.verify(done.job, done.result, tenant_id=tenant_id)
    assert isinstance(report, CompactReport), "it has a proof"
    screen.check("the proof leads from the result to the root", report.root.agrees and report.place.agrees)
    screen.check("the registry holds that root under that word", report.batch.agrees)
    screen.check("and finds the job included", report.inclusion.agrees)
    screen.check("in the block and transaction of the batch's event", report.agrees)
    forged = replace(confirmation, proof=replace(proof, bit=proof.bit ^ 1))
    found = scene.registry.verify(replace(done.job, confirmation=forged), done.result, tenant_id=tenant_id)
    screen.check("a proof for another place does not verify", found.agrees, expected=False)
