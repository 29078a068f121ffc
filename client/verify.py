"""Checks a result against the chain, trusting nobody but the node that it asks.

Hashes are those of the registry's published interface: the job's key is
keccak256(abi.encode(uint256 chainId, address registry, string tenantId, string jobId)), the commitment
keccak256(salt ‖ keccak256(content)). For those of a compact batch see `client.inclusion`.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

from eth_abi.abi import encode
from eth_typing import BlockNumber
from hexbytes import HexBytes
from web3 import Web3

from client.documents import Confirmation, Job, Proof, Result
from client.inclusion import batch_hash, has_place, root_of
from client.registry_abi import REGISTRY_ABI

NOT_RECORDED = "0x" + "00" * 32


@dataclass(frozen=True, slots=True)
class Finding:
    """What the service said, and what we found ourselves; None where there is nothing."""

    said: str | None
    found: str | None

    @property
    def agrees(self) -> bool:
        """Whether both are there and the same."""
        return self.found is not None and self.said == self.found


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One job's result against the chain."""

    commitment: Finding  # from the salt and the content
    job_key: Finding  # from the chain's id, the registry's address, the tenant and the job
    recorded_hash: Finding  # the registry's answer for that key
    block: Finding  # of the event that records it
    transaction: Finding

    @property
    def agrees(self) -> bool:
        """Whether everything does."""
        return not self.wrong

    @property
    def wrong(self) -> tuple[str, ...]:
        """The names of what does not agree."""
        return tuple(name for name, finding in self.findings() if not finding.agrees)

    def findings(self) -> Iterator[tuple[str, Finding]]:
        """Each with its name in words."""
        for field in fields(self):
            yield field.name.replace("_", " "), getattr(self, field.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactReport(Report):
    """The same for a job of a compact batch. Under its own key the registry has nothing, or its commitment
    since somebody materialized it: were there another, that would be what contracts read.
    """

    root: Finding  # from the commitment, the key and the proof
    place: Finding  # of the job, if the batch's mask has it
    batch: Finding  # the registry's answer for the word: the hash of mask and root
    inclusion: Finding  # the registry's own word for all of it


class Registry:
    """A registry that the verifier trusts, by its address, on the chain of `web3`."""

    def __init__(self, web3: Web3, address: str) -> None:
        self._chain_id = web3.eth.chain_id
        self._address = Web3.to_checksum_address(address)
        self._contract = web3.eth.contract(address=self._address, abi=REGISTRY_ABI)

    def job_key(self, tenant_id: str, job_id: str) -> str:
        """The key under which this registry, and no other, records the job."""
        values = (self._chain_id, self._address, tenant_id, job_id)
        return Web3.to_hex(Web3.keccak(encode(("uint256", "address", "string", "string"), values)))

    def recorded_hash(self, job_key: str) -> str:
        """What is recorded for the key; `NOT_RECORDED` if nothing is."""
        return Web3.to_hex(self._contract.functions.resultHashOf(HexBytes(job_key)).call())

    def verify(self, job: Job, result: Result, *, tenant_id: str) -> Report:
        """The report on a job, whose tenant the service does not have to tell us."""
        said = job.confirmation
        ours, job_key = commitment(result.salt, result.content), self.job_key(tenant_id, job.id)
        recorded = self.recorded_hash(job_key)
        block, transaction = self._event(said, job_key) if said else (None, None)
        found = {
            "commitment": Finding(result.commitment, ours),
            "job_key": Finding(said.job_key if said else None, job_key),
            "block": Finding(_text(said.block_number) if said else None, block),
            "transaction": Finding(said.transaction_hash if said else None, transaction),
        }
        if said is None or said.proof is None:
            return Report(**found, recorded_hash=Finding(ours, recorded))
        expected = NOT_RECORDED if recorded == NOT_RECORDED else ours
        batch = self._batch_findings(said.proof, job_key=job_key, commitment=ours)
        return CompactReport(**found, **batch, recorded_hash=Finding(expected, recorded))

    def _batch_findings(self, proof: Proof, *, job_key: str, commitment: str) -> dict[str, Finding]:
        """What only a compact batch's report has."""
        word, mask, siblings = int(proof.word, 16), int(proof.mask, 16), [*map(HexBytes, proof.siblings)]
        inclusion = (word, proof.bit, mask, HexBytes(proof.root), siblings)
        reads = self._contract.functions
        is_included = reads.isIncluded(HexBytes(job_key), HexBytes(commitment), inclusion).call()
        return {
            "root": Finding(proof.root, root_of(proof, job_key=job_key, commitment=commitment)),
            "place": Finding(str(proof.bit), str(proof.bit) if has_place(proof) else None),
            "batch": Finding(batch_hash(proof), Web3.to_hex(reads.compactHashOf(word).call())),
            "inclusion": Finding("included", "included" if is_included else None),
        }

    def _event(self, said: Confirmation, job_key: str) -> tuple[str | None, str | None]:
        """Block and transaction of the event that records the job, or its batch with this mask and root.

        It is looked for in one block: nodes refuse long ranges.
        """
        if said.block_number is None:
            return None, None
        event = self._contract.events.JobConfirmed()
        topics: dict[str, Any] = {"jobKey": HexBytes(job_key)}
        data: dict[str, Any] = {}
        if said.proof is not None:
            event = self._contract.events.CompactConfirmed()
            topics = {"word": int(said.proof.word, 16)}
            data = {"mask": int(said.proof.mask, 16), "root": HexBytes(said.proof.root)}
        block = BlockNumber(said.block_number)
        logs = event.get_logs(argument_filters=topics, from_block=block, to_block=block)
        found = [each for each in logs if data.items() <= each["args"].items()]
        if len(found) != 1:
            return None, None
        return str(found[0]["blockNumber"]), Web3.to_hex(found[0]["transactionHash"])


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)


def commitment(salt: str, content: str) -> str:
    """The hash that commits to exactly this content.

    >>> commitment("0x" + "00" * 32, "{}")
    '0x660f98825626a1ad0c3df3b009bce35103b7739ae33ff1be20c965b032a2f0a1'
    """
    return Web3.to_hex(Web3.keccak(HexBytes(salt) + Web3.keccak(text=content)))
