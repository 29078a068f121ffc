"""What the chain's adapter says when the registry would refuse, or the node is gone, silent or another."""

import logging
import socket
import traceback
from collections.abc import Callable

import pytest

from chalicelib.adapters import evm
from chalicelib.adapters.evm import TRANSACTION_GAS_CAP, EvmChain
from chalicelib.domain.chain_call import Call, ConfirmBatch, ConfirmCompact, Fill
from chalicelib.domain.confirmation import ZERO_HASH, Entry
from chalicelib.domain.errors import ChainUnavailable, ConfirmationRejected, TooMuchGas
from emulation.chain import CHAIN_ID, Mining
from tests.chain.conftest import Bench
from tests.chain.servers import lying, refusing

REGISTRY = SOMEONE = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
WORD = "0x" + "ab" * 32
CLOSED_URL = "http://127.0.0.1:1"
# What a server in between says is the same however the node mines.
ONE_NODE = pytest.mark.parametrize("node", [Mining.AUTOMATIC], indirect=True)
NODES_KEY = "a-key-that-stands-in-the-url"
ENFORCED_PAUSE = "0xd93c0665"
COMPACT = ConfirmCompact(number=0, mask=1, root=WORD)

QUESTIONS: dict[str, Callable[[EvmChain], object]] = {
    "survey": lambda chain: chain.survey(SOMEONE, final_depth=3),
    "estimate_gas": lambda chain: chain.estimate_gas(ConfirmBatch((Entry(WORD, WORD),)), signer=SOMEONE),
    "broadcast": lambda chain: chain.broadcast(b"\2\3"),
    "sightings": lambda chain: chain.sightings([WORD]),
    "recorded_hashes": lambda chain: chain.recorded_hashes([WORD]),
    "recorded_at": lambda chain: chain.recorded_at(WORD),
    "compact_hash": lambda chain: chain.compact_hash(1),
}


def elsewhere(url: str, *, chain_id: int = CHAIN_ID, genesis_hash: str = WORD) -> EvmChain:
    """An adapter of a chain that no node here runs."""
    return EvmChain(url, chain_id=chain_id, genesis_hash=genesis_hash, registry=REGISTRY)


@pytest.mark.parametrize("call", [ConfirmBatch((Entry(WORD, WORD),)), COMPACT])
def test_confirmation_is_rejected_when_the_registry_is_paused(bench: Bench, call: Call) -> None:
    bench.pause()
    with pytest.raises(ConfirmationRejected, match=r"^EnforcedPause$"):
        bench.chain.estimate_gas(call, signer=bench.signer)


def test_nonce_can_be_filled_when_the_registry_is_paused(bench: Bench) -> None:
    bench.pause()
    assert bench.chain.estimate_gas(Fill(), signer=bench.signer) >= 21_000


@pytest.mark.parametrize("call", [ConfirmBatch((Entry(WORD, WORD),)), COMPACT])
def test_confirmation_is_rejected_when_the_sender_has_no_role(bench: Bench, call: Call) -> None:
    stranger = bench.rpc("eth_accounts")[5]
    with pytest.raises(ConfirmationRejected, match=r"^AccessControlUnauthorizedAccount$"):
        bench.chain.estimate_gas(call, signer=stranger)


def test_confirmation_is_rejected_when_there_is_nothing_to_confirm(bench: Bench) -> None:
    with pytest.raises(ConfirmationRejected, match=r"^EmptyBatch$"):
        bench.chain.estimate_gas(ConfirmBatch(()), signer=bench.signer)


def test_confirmation_is_rejected_when_the_root_is_zero(bench: Bench) -> None:
    with pytest.raises(ConfirmationRejected, match=r"^ZeroRoot$"):
        bench.chain.estimate_gas(ConfirmCompact(number=0, mask=1, root=ZERO_HASH), signer=bench.signer)


def test_confirmation_is_rejected_when_the_number_was_used(bench: Bench) -> None:
    bench.mine(bench.sign_call(COMPACT))
    with pytest.raises(ConfirmationRejected, match=r"^CompactAlreadyConfirmed$"):
        bench.chain.estimate_gas(COMPACT, signer=bench.signer)


def test_gas_is_too_much_when_no_transaction_may_have_that(bench: Bench) -> None:
    most, more = (ConfirmBatch(tuple(bench.entries(number))) for number in (650, 700))
    assert bench.chain.estimate_gas(most, signer=bench.signer) < TRANSACTION_GAS_CAP
    with pytest.raises(TooMuchGas):
        bench.chain.estimate_gas(more, signer=bench.signer)


def test_gas_is_too_much_when_no_block_has_that(bench: Bench) -> None:
    small = {"gasLimit": hex(21_000)}
    with lying(bench.rpc_url, "eth_getBlockByNumber", lambda block: {**block, **small}) as url:
        chain = bench.at(url)
        with pytest.raises(TooMuchGas):
            chain.estimate_gas(COMPACT, signer=bench.signer)


def test_gas_is_too_much_when_the_node_has_not_enough_to_try(bench: Bench) -> None:
    with pytest.raises(TooMuchGas):
        bench.chain.estimate_gas(ConfirmBatch(tuple(bench.entries(2_500))), signer=bench.signer)


@pytest.mark.parametrize("question", QUESTIONS)
def test_chain_is_unavailable_when_no_node_listens(question: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ChainUnavailable, match="NewConnectionError"):
        QUESTIONS[question](elsewhere(f"http://127.0.0.1:{port}"))


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://127.0.0.1:99999", "http://[::1"])
def test_chain_is_unavailable_when_the_url_is_none(url: str) -> None:
    with pytest.raises(ChainUnavailable):
        elsewhere(url).sightings([WORD])


def test_chain_is_unavailable_when_the_node_is_silent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ChainUnavailable, match="ReadTimeoutError"):
            elsewhere(url).sightings([WORD])


@pytest.mark.parametrize(
    "url", [CLOSED_URL, "https://127.0.0.1:1", "http://127.0.0.1:99999", "gopher://node"]
)
def test_url_is_not_told_when_the_chain_is_unavailable(url: str) -> None:
    with pytest.raises(ChainUnavailable) as caught:
        elsewhere(f"{url}/v3/{NODES_KEY}").sightings([WORD])
    assert NODES_KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("question", QUESTIONS)
def test_chain_is_unavailable_when_its_id_is_another(bench: Bench, question: str) -> None:
    other = elsewhere(bench.rpc_url, chain_id=1, genesis_hash=bench.genesis_hash)
    with pytest.raises(ChainUnavailable, match=r"runs chain 31337, and we are configured for 1\."):
        QUESTIONS[question](other)


@pytest.mark.parametrize("question", QUESTIONS)
def test_chain_is_unavailable_when_it_began_with_another_block(bench: Bench, question: str) -> None:
    with pytest.raises(ChainUnavailable, match="it began with another block"):
        QUESTIONS[question](elsewhere(bench.rpc_url))


@pytest.mark.parametrize("other", [{"chain_id": 1}, {"genesis_hash": WORD}])
def test_nothing_is_sent_when_the_chain_is_another(held: Bench, other: dict[str, object]) -> None:
    signed = held.sign(held.entries(1))
    ours = {"chain_id": CHAIN_ID, "genesis_hash": held.genesis_hash, "registry": held.registry}
    with pytest.raises(ChainUnavailable):
        EvmChain(held.rpc_url, **(ours | other)).broadcast(signed.raw)
    assert not held.sighting(signed.hash).is_pending


@ONE_NODE
@pytest.mark.parametrize("question", QUESTIONS)
def test_nodes_words_are_not_told_when_it_refuses(bench: Bench, question: str) -> None:
    error = {"code": -32005, "message": "planted" * 10_000, "data": "planted"}
    with (
        refusing(bench.rpc_url, "eth_getBlockByNumber", error) as url,
        pytest.raises(ChainUnavailable, match="-32005") as caught,
    ):
        QUESTIONS[question](bench.at(url))
    assert "planted" not in "".join(traceback.format_exception(caught.value))


@ONE_NODE
def test_nodes_words_are_logged_in_short_when_it_refuses_a_broadcast(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    error = {"code": -32000, "message": "nonce too low\n" + "x" * 10_000}
    with (
        refusing(bench.rpc_url, "eth_sendRawTransaction", error) as url,
        caplog.at_level(logging.INFO, evm.__name__),
    ):
        bench.at(url).broadcast(b"\2\3")
    (line,) = caplog.messages
    assert line.startswith("the node says of a broadcast: 'nonce too low\\nxxx")
    assert len(line) < 300


@ONE_NODE
@pytest.mark.parametrize("data", [ENFORCED_PAUSE, {"data": ENFORCED_PAUSE, "message": "reverted"}])
def test_confirmation_is_rejected_when_the_nodes_error_has_either_form(bench: Bench, data: object) -> None:
    error = {"code": -32000, "message": "execution reverted", "data": data}
    with (
        refusing(bench.rpc_url, "eth_estimateGas", error) as url,
        pytest.raises(ConfirmationRejected, match=r"^EnforcedPause$"),
    ):
        QUESTIONS["estimate_gas"](bench.at(url))


@ONE_NODE
@pytest.mark.parametrize("data", [None, "0x", "0x12345678", "0xzz", 7, ["0x"], {"data": {"data": "0x"}}])
def test_confirmation_is_rejected_when_the_revert_is_none_of_the_registrys(
    bench: Bench, data: object
) -> None:
    error = {"code": 3, "message": "execution reverted", "data": data}
    with (
        refusing(bench.rpc_url, "eth_estimateGas", error) as url,
        pytest.raises(ConfirmationRejected, match="with none of the registry's errors"),
    ):
        QUESTIONS["estimate_gas"](bench.at(url))


@ONE_NODE
@pytest.mark.parametrize(
    "message",
    [
        "Out of gas: gas required exceeds allowance: 30000000",  # anvil 1.7
        "gas required exceeds allowance (50000000)",  # geth
        "Transaction ran out of gas",  # Hardhat 3
    ],
)
def test_gas_is_too_much_when_the_node_says_so(bench: Bench, message: str) -> None:
    with (
        refusing(bench.rpc_url, "eth_estimateGas", {"code": -32000, "message": message}) as url,
        pytest.raises(TooMuchGas),
    ):
        QUESTIONS["estimate_gas"](bench.at(url))


@ONE_NODE
def test_chain_is_unavailable_when_the_node_has_trouble_with_an_estimate(bench: Bench) -> None:
    with (
        refusing(bench.rpc_url, "eth_estimateGas", {"code": -32603, "message": "internal"}) as url,
        pytest.raises(ChainUnavailable, match="eth_estimateGas with error -32603"),
    ):
        QUESTIONS["estimate_gas"](bench.at(url))
