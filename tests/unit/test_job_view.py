"""What a tenant sees of a job's confirmation, whatever the chain does to it."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
import yaml

from chalicelib.adapters.dynamodb_items import decode_job, encode_job
from chalicelib.adapters.memory_transactions import MemoryChainTransactions
from chalicelib.admin.openapi.document import SOURCE
from chalicelib.domain.chain_call import Inclusion, proves
from chalicelib.domain.chain_transaction import FINAL_DEPTH, TransactionProgress
from chalicelib.domain.confirmation import Entry, job_key
from chalicelib.domain.confirmation_view import ConfirmationState
from chalicelib.domain.job import JobRef
from chalicelib.domain.listing import JobFilter
from chalicelib.domain.transaction_id import ConfirmationPath, TransactionId
from chalicelib.web.schemas.jobs import job_view
from tests.unit.long_running import get
from tests.unit.world import ACME, BASE_URL, REGISTRY, SIGNER, World

PATHS = pytest.mark.parametrize("path", ConfirmationPath)


class CountingTransactions(MemoryChainTransactions):
    """Keeps what was asked for."""

    def __init__(self, world: World) -> None:
        super().__init__(world.jobs)
        self.asked: list[Sequence[TransactionId]] = []

    def progress(
        self, transaction_ids: Sequence[TransactionId]
    ) -> Mapping[TransactionId, TransactionProgress]:
        self.asked.append(transaction_ids)
        return super().progress(transaction_ids)


def confirmation(world: World, ref: JobRef) -> dict[str, Any]:
    seen: dict[str, Any] = json.loads(get(world, ref).body)["confirmation"]
    return seen


def progress(world: World, ref: JobRef) -> tuple[str, int | None, int]:
    seen = confirmation(world, ref)
    return seen["state"], seen["block_number"], seen["depth"]


@PATHS
def test_each_state_is_shown_when_the_sender_has_seen_it(world: World, path: ConfirmationPath) -> None:
    ref = world.confirming(path=path)
    shown = [progress(world, ref)]
    world.confirm_jobs([ref])
    shown.append(progress(world, ref))
    for _ in range(FINAL_DEPTH):
        world.chain.mine()
        world.confirm_jobs([])
        shown.append(progress(world, ref))
    assert shown == [
        ("pending", None, 0),
        ("broadcast", None, 0),
        ("mined", 1, 1),
        ("mined", 1, 2),
        ("final", 1, 3),
    ]


@PATHS
def test_the_key_the_chain_and_the_registry_are_those_of_the_job_from_the_first_state_on(
    world: World, path: ConfirmationPath
) -> None:
    ref = world.confirming(path=path)
    before = confirmation(world, ref)
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    after = confirmation(world, ref)
    names = ("path", "chain_id", "registry", "job_key")
    told = [path.value, 31337, REGISTRY, job_key(31337, REGISTRY, ACME, ref.job_id)]
    assert [before[name] for name in names] == [after[name] for name in names] == told


def test_what_it_took_is_told_when_it_is_final(world: World) -> None:
    refs = [world.confirming(f"k{n}") for n in range(2)]
    world.confirm_jobs(refs)
    world.chain.mine()
    world.confirm_jobs([])
    mined = confirmation(world, refs[0])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    seen = [confirmation(world, ref) for ref in refs]
    (sighting,) = world.chain.sightings([seen[0]["transaction_hash"]])
    assert (mined["gas_used"], mined["gas_price_wei"], mined["proof"]) == (None, None, None)
    assert sum(each["gas_used"] for each in seen) == sighting.receipt.gas_used
    assert {each["gas_price_wei"] for each in seen} == {str(sighting.receipt.gas_price_wei)}


def test_the_proof_proves_the_job_when_a_compact_batch_is_final(world: World) -> None:
    refs = [world.confirming(f"k{n}", path=ConfirmationPath.COMPACT) for n in range(3)]
    world.confirm_jobs(refs)
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    for bit, ref in enumerate(refs):
        seen = confirmation(world, ref)
        inclusion = inclusion_of(seen["proof"])
        entry = Entry(seen["job_key"], world.job(ref).result.commitment)
        assert (inclusion.bit, inclusion.word) == (bit, int(SIGNER, 16) << 64)
        assert proves(inclusion, entry)
        assert not proves(inclusion, replace(entry, result_hash="0x" + "11" * 32))


def inclusion_of(proof: Mapping[str, Any]) -> Inclusion:
    return Inclusion(
        word=int(proof["word"], 16),
        bit=proof["bit"],
        mask=int(proof["mask"], 16),
        root=proof["root"],
        proof=tuple(proof["siblings"]),
    )


def test_the_example_of_a_proof_proves_what_the_example_of_a_result_has() -> None:
    source = yaml.safe_load(SOURCE.read_text())
    example = source["x-examples"]["compact"]["confirmation"]
    answer = source["paths"]["/v1/jobs/{job_id}/result"]["get"]["responses"]["200"]
    result = answer["content"]["application/json"]["examples"]["small"]["value"]
    assert proves(inclusion_of(example["proof"]), Entry(example["job_key"], result["commitment"]))


def test_it_is_broadcast_again_when_a_reorganisation_takes_its_block_away(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.mine()
    world.confirm_jobs([])
    assert progress(world, ref) == ("mined", 1, 1)
    world.chain.reorganise(1)
    world.confirm_jobs([])
    assert progress(world, ref) == ("broadcast", None, 0)


def test_the_hash_is_the_last_one_signed_when_the_transaction_is_replaced(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    first = confirmation(world, ref)["transaction_hash"]
    world.chain.base_fee_wei *= 4
    world.confirm_jobs([])
    second = confirmation(world, ref)["transaction_hash"]
    assert [seen.is_pending for seen in world.chain.sightings([first, second])] == [False, True]


def revert(world: World, ref: JobRef) -> None:
    world.chain.reverts_next = True
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])


def lose_the_nonce(world: World, ref: JobRef) -> None:
    world.confirm_jobs([ref])
    world.chain.drop_pool()
    world.chain.take_nonce(SIGNER)
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])


def start_the_chain_anew(world: World, ref: JobRef) -> None:
    world.confirm_jobs([ref])
    world.genesis_hash = "0x" + "68" * 32


def fill_the_nonce(world: World, ref: JobRef) -> None:
    revert(world, ref)
    world.chain.reorganise(FINAL_DEPTH)
    world.confirm_jobs([])


@pytest.mark.parametrize("lose", [revert, lose_the_nonce, start_the_chain_anew, fill_the_nonce])
def test_it_is_pending_again_when_its_transaction_can_confirm_nothing_any_more(
    world: World, lose: Callable[[World, JobRef], None]
) -> None:
    ref = world.confirming()
    lose(world, ref)
    seen = confirmation(world, ref)
    assert (seen["state"], seen["transaction_hash"], seen["depth"]) == ("pending", None, 0)


def test_each_transaction_is_read_once_when_a_page_has_many_of_its_jobs(world: World) -> None:
    world.transactions = counting = CountingTransactions(world)
    refs = [world.confirming(f"k{n}") for n in range(4)]
    world.confirm_jobs(refs[:2])
    world.confirm_jobs(refs[2:3])
    world.submit("k4")
    page = world.list_jobs(ACME, JobFilter(), after=None, limit=0)
    states = [each.confirmation and each.confirmation.state for each in page.jobs]
    one, two = (TransactionId(world.job(ref).placed.account, nonce) for nonce, ref in enumerate(refs[:2]))
    assert states == [None, ConfirmationState.PENDING, *[ConfirmationState.BROADCAST] * 3]
    assert [sorted(each, key=lambda placed: placed.nonce) for each in counting.asked] == [[one, two]]


def test_no_transaction_is_read_when_no_job_is_confirming(world: World) -> None:
    world.transactions = counting = CountingTransactions(world)
    final, queued = world.confirming("k1"), world.submit("k2").job_ref
    world.confirm_jobs([final])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    world.cancel_job(world.submit("k3").job_ref)
    assert [get(world, ref).status for ref in (final, queued)] == [200, 200]
    world.list_jobs(ACME, JobFilter(), after=None, limit=0)
    assert counting.asked == []


def test_a_job_is_shown_as_final_when_its_row_is_of_before_release_1_2(world: World) -> None:
    ref = world.confirming()
    world.confirm_jobs([ref])
    world.chain.mine(FINAL_DEPTH)
    world.confirm_jobs([])
    item = encode_job(world.job(ref))
    for name in ("path", "placed"):
        del item[name]
    for name in ("depth", "gas_price_wei"):
        del item["confirmation"][name]
    (seen,) = world.read_confirmation([decode_job(item)])
    shown = job_view(seen, base_url=BASE_URL).confirmation
    assert shown.model_dump(mode="json") == {**confirmation(world, ref), "gas_price_wei": None}
