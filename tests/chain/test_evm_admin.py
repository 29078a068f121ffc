"""Whoever appoints confirmers: one suite for the port, in memory and real; then what only a node does."""

from datetime import UTC, datetime

import pytest

from chalicelib.adapters.evm_admin import POLL_SECONDS, POLLS, EvmRegistryAdmin
from chalicelib.adapters.memory import ManualClock
from chalicelib.adapters.memory_chain import MemoryChain
from chalicelib.adapters.memory_registry_admin import MemoryRegistryAdmin
from chalicelib.domain.chain_call import compact_call, inclusions
from chalicelib.domain.confirmation import ZERO_HASH, Entry
from chalicelib.domain.errors import ChainUnavailable, ConfirmationRejected, Refused
from chalicelib.ports import RegistryAdmin
from emulation.chain import CHAIN_ID, Mining
from tests.chain.conftest import ETHER, HASHES_ONLY, Bench
from tests.chain.servers import lying, refusing

NEW = "0x52908400098527886E0F7030069857D2E4169EE7"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


def admin_at(bench: Bench, url: str | None = None) -> EvmRegistryAdmin:
    """The bench's registry's admin; a block is mined in each of its pauses."""
    clock = ManualClock(NOW)
    clock.meanwhile = lambda: bench.rpc("evm_mine")
    return EvmRegistryAdmin(
        url or bench.rpc_url,
        chain_id=CHAIN_ID,
        genesis_hash=bench.genesis_hash,
        registry=bench.registry,
        clock=clock,
    )


@pytest.fixture(params=["memory", "real"])
def admin(request: pytest.FixtureRequest, held: Bench) -> RegistryAdmin:
    return MemoryRegistryAdmin(MemoryChain()) if request.param == "memory" else admin_at(held)


def test_address_may_confirm_when_it_is_appointed_until_it_is_dismissed(admin: RegistryAdmin) -> None:
    seen = [admin.is_confirmer(NEW)]
    for act in (admin.grant, admin.grant, admin.revoke, admin.revoke, admin.grant):
        act(NEW)
        seen.append(admin.is_confirmer(NEW))
    assert seen == [False, True, True, False, False, True]


def test_balance_grows_when_an_address_is_funded(admin: RegistryAdmin) -> None:
    before = admin.balance(NEW)
    admin.fund(NEW, ETHER)
    admin.fund(NEW, 1)
    assert admin.balance(NEW) - before == ETHER + 1


def test_others_are_left_alone_when_one_is_dismissed(bench: Bench) -> None:
    admin = admin_at(bench)
    admin.grant(NEW)
    admin.revoke(bench.signer)
    assert admin.is_confirmer(NEW)
    with pytest.raises(ConfirmationRejected, match="AccessControlUnauthorizedAccount"):
        bench.sign(bench.entries(1))


def test_appointment_is_as_deep_as_its_block_when_a_depth_is_asked_for(held: Bench) -> None:
    admin = admin_at(held)
    admin.grant(NEW)
    for _ in range(2):
        assert admin.is_confirmer(NEW)
        assert not admin.is_confirmer(NEW, depth=3)
        held.rpc("evm_mine")
    assert admin.is_confirmer(NEW, depth=3)
    assert not admin.is_confirmer(NEW, depth=10**6)


def test_nothing_is_sent_when_there_is_nothing_to_change(held: Bench) -> None:
    admin = admin_at(held)
    held.rpc("evm_mine")
    head = held.survey().head
    admin.grant(held.signer)
    admin.revoke(NEW)
    held.rpc("evm_mine")
    block = held.rpc("eth_getBlockByNumber", hex(head + 1), HASHES_ONLY)
    assert block["transactions"] == []


def test_job_is_recorded_by_itself_when_its_batch_is_shown_to_hold_it(bench: Bench) -> None:
    entries = bench.entries(3)
    bench.mine(bench.sign_call(compact_call(bench.signer, 0, entries)))
    proofs = inclusions(bench.signer, 0, entries)
    admin_at(bench).materialize(entries[1], proofs[1])
    keys = [entry.job_key for entry in entries]
    assert bench.chain.recorded_hashes(keys) == [ZERO_HASH, entries[1].result_hash, ZERO_HASH]


def test_node_is_quoted_when_it_does_not_send(bench: Bench) -> None:
    entries = bench.entries(1)
    (proof,) = inclusions(bench.signer, 0, entries)
    with pytest.raises(Refused, match="NotIncluded"):
        admin_at(bench).materialize(Entry(entries[0].job_key, ZERO_HASH), proof)


def test_what_to_sign_is_told_when_the_key_is_elsewhere(bench: Bench) -> None:
    with lying(bench.rpc_url, "eth_accounts", lambda _: []) as url:
        with pytest.raises(Refused) as granting:
            admin_at(bench, url).grant(NEW)
        with pytest.raises(Refused) as funding:
            admin_at(bench, url).fund(NEW, ETHER)
    data = str(granting.value).rpartition("data ")[2].rstrip(".")
    assert f"on chain {CHAIN_ID}" in str(granting.value)
    assert f"to {bench.registry}, value 0 wei" in str(granting.value)
    assert f"to {NEW}, value {ETHER} wei, data 0x." in str(funding.value)
    signed_elsewhere = {"from": bench.rpc("eth_accounts")[0], "to": bench.registry, "data": data}
    bench.rpc("eth_sendTransaction", signed_elsewhere)
    bench.rpc("evm_mine")
    with lying(bench.rpc_url, "eth_accounts", lambda _: []) as url:
        admin_at(bench, url).grant(NEW)
        assert admin_at(bench, url).is_confirmer(NEW)


def test_key_is_elsewhere_when_the_node_knows_no_accounts(bench: Bench) -> None:
    error = {"code": -32601, "message": "the method eth_accounts does not exist"}
    with refusing(bench.rpc_url, "eth_accounts", error) as url, pytest.raises(Refused, match="does not hold"):
        admin_at(bench, url).grant(NEW)


def test_key_is_elsewhere_when_the_double_has_none() -> None:
    admin = MemoryRegistryAdmin(MemoryChain())
    admin.holds_key = False
    for act in (lambda: admin.grant(NEW), lambda: admin.fund(NEW, 1)):
        with pytest.raises(Refused):
            act()
    assert not admin.is_confirmer(NEW)


def test_refused_when_it_is_mined_without_effect(bench: Bench) -> None:
    def revert(receipt: dict[str, object] | None) -> object:
        return {**receipt, "status": "0x0"} if receipt else None

    refusal = pytest.raises(Refused, match="without effect")
    with lying(bench.rpc_url, "eth_getTransactionReceipt", revert) as url, refusal:
        admin_at(bench, url).fund(NEW, 1)


@pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True)
def test_wait_ends_when_nothing_is_ever_mined(held: Bench) -> None:
    clock = ManualClock(NOW)
    with lying(held.rpc_url, "eth_getTransactionReceipt", lambda _: None) as url:
        admin = EvmRegistryAdmin(
            url, chain_id=CHAIN_ID, genesis_hash=held.genesis_hash, registry=held.registry, clock=clock
        )
        with pytest.raises(ChainUnavailable, match="not mined"):
            admin.fund(NEW, 1)
    assert clock.monotonic() - NOW.timestamp() == pytest.approx(POLLS * POLL_SECONDS)


@pytest.mark.parametrize("answer", ["0x", "0x" + "01" * 31, "0x" + "01" * 33])
def test_chain_is_unavailable_when_the_registry_names_no_admin(bench: Bench, answer: str) -> None:
    with lying(bench.rpc_url, "eth_call", lambda _: answer) as url, pytest.raises(ChainUnavailable):
        admin_at(bench, url).fund(NEW, 1)
