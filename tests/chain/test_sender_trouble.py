"""A node that hangs, lies or refuses: the sender stores first, believes little, and goes on afterwards."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from threading import Event
from typing import Any

import httpx
import pytest

from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.errors import ChainUnavailable
from chalicelib.domain.job import JobRef, Status
from chalicelib.domain.transaction_id import ConfirmationPath
from tests.chain.conftest import Bench
from tests.chain.sender import (
    BOTH_PATHS,
    Witness,
    attempts,
    heard,
    mine,
    rows,
    statuses,
    sweep_and_look,
    waiting,
)
from tests.chain.sender_audit import go_on
from tests.chain.servers import Heard, Reply, lying, refusing, saying, serving
from tests.unit.world import World

SEND = "eth_sendRawTransaction"
ANOTHER_HASH = "0x" + "ab" * 32
TROUBLE = {"code": -32603, "message": "internal error"}


def forwarded(rpc_url: str, asked: Heard) -> Reply:
    """What the node answers."""
    with httpx.Client(trust_env=False, verify=False) as client:
        headers = {"Content-Type": "application/json"}
        return Reply(client.post(rpc_url, content=asked.body, headers=headers).content)


@contextmanager
def losing_answers(rpc_url: str, method: str) -> Iterator[str]:
    """A way to the node where it hears this method's calls, and whoever calls is told of a failed gateway."""

    def lose(asked: Heard) -> Reply:
        answer = forwarded(rpc_url, asked)
        return Reply(b"", status=504) if method in asked.methods else answer

    with serving(lose) as url:
        yield url


@contextmanager
def hanging_at(rpc_url: str, method: str) -> Iterator[str]:
    """A way to the node where it hears this method's calls, and whoever calls hears nothing more."""
    over = Event()

    def hang(asked: Heard) -> Reply:
        answer = forwarded(rpc_url, asked)
        if method in asked.methods:
            over.wait()
        return answer

    with serving(hang) as url:
        yield url
        over.set()


@contextmanager
def refusing_unheard(rpc_url: str, method: str) -> Iterator[str]:
    """A way to the node that it never hears this method's calls by; they are answered with an error."""

    def refuse(asked: Heard) -> Reply:
        if method not in asked.methods:
            return forwarded(rpc_url, asked)
        refused = [{"jsonrpc": "2.0", "id": call["id"], "error": TROUBLE} for call in asked.calls]
        return Reply(httpx.Response(200, json=refused).content)

    with serving(refuse) as url:
        yield url


@contextmanager
def through(world: World, bench: Bench, url: str) -> Iterator[None]:
    """The service reaches the node this way, and directly again afterwards."""
    assert isinstance(world.chain, Witness)
    world.chain.chain = bench.at(url)
    yield
    world.chain.chain = bench.chain


def unavailable(world: World, bench: Bench, url: str, refs: Sequence[JobRef]) -> None:
    """By this way the sender finds no chain that it can use."""
    with through(world, bench, url), pytest.raises(ChainUnavailable):
        world.confirm_jobs(refs)


def of_another_genesis(block: Any) -> Any:
    return block | {"hash": ANOTHER_HASH} if block and int(block["number"], 16) == 0 else block


ANOTHER_CHAIN: Mapping[str, tuple[str, Callable[[Any], Any]]] = {
    "chain_id": ("eth_chainId", lambda _: "0x1"),
    "genesis": ("eth_getBlockByNumber", of_another_genesis),
}


def test_jobs_wait_and_go_on_when_the_node_accepts_and_says_nothing(bench: Bench) -> None:
    world, refs = waiting(bench, ConfirmationPath.DIRECT)
    with saying(lambda _, over: over.wait()) as silent:
        unavailable(world, bench, silent, refs)
    assert rows(world) == []
    assert world.confirm_jobs(refs).open_transactions == 1  # the lease was given back
    go_on(world, bench, refs)


# Where an invocation asks, in its order
ASKED = ["eth_getBalance", "eth_call", "eth_estimateGas", SEND]


@BOTH_PATHS
@pytest.mark.parametrize("method", ASKED)
def test_jobs_are_confirmed_once_when_the_answer_is_lost(
    bench: Bench, path: ConfirmationPath, method: str
) -> None:
    world, refs = waiting(bench, path)
    with losing_answers(bench.rpc_url, method) as url:
        unavailable(world, bench, url, refs)
    go_on(world, bench, refs)
    assert len(set(heard(world))) == 1


def test_jobs_are_confirmed_once_when_the_node_hangs_after_it_has_taken_the_bytes(bench: Bench) -> None:
    world, refs = waiting(bench, ConfirmationPath.DIRECT)
    with hanging_at(bench.rpc_url, SEND) as url:
        unavailable(world, bench, url, refs)
    go_on(world, bench, refs)
    assert len(set(heard(world))) == 1


@BOTH_PATHS
@pytest.mark.parametrize(
    "refuse",
    [partial(refusing, method=SEND, error=TROUBLE), partial(refusing_unheard, method=SEND)],
    ids=["and_yet_takes_it", "and_does_not_take_it"],
)
def test_same_bytes_are_mined_when_the_node_reports_an_error(
    bench: Bench, path: ConfirmationPath, refuse: Callable[..., AbstractContextManager[str]]
) -> None:
    world, refs = waiting(bench, path)
    with refuse(bench.rpc_url) as url, through(world, bench, url):
        world.confirm_jobs(refs)
        sweep_and_look(world)
    go_on(world, bench, refs)
    assert len(attempts(world)) == len(set(heard(world))) == 1


@BOTH_PATHS
def test_jobs_are_confirmed_once_when_the_node_names_another_hash(
    bench: Bench, path: ConfirmationPath
) -> None:
    world, refs = waiting(bench, path)
    with lying(bench.rpc_url, SEND, lambda _: ANOTHER_HASH) as url:
        unavailable(world, bench, url, refs)
    go_on(world, bench, refs)
    assert len(set(heard(world))) == 1


@BOTH_PATHS
@pytest.mark.parametrize("other", ANOTHER_CHAIN)
def test_nothing_is_sent_when_the_node_turns_out_to_run_another_chain(
    bench: Bench, path: ConfirmationPath, other: str
) -> None:
    world, refs = waiting(bench, path)
    with refusing_unheard(bench.rpc_url, SEND) as url, through(world, bench, url):
        world.confirm_jobs(refs)  # stored, and never heard of
    with lying(bench.rpc_url, *ANOTHER_CHAIN[other]) as url, through(world, bench, url):
        with pytest.raises(ChainUnavailable):
            sweep_and_look(world)
        with pytest.raises(ChainUnavailable):
            world.chain.broadcast(rows(world)[0].latest.raw)
    mine(bench)
    assert bench.survey().next_nonce == 0
    go_on(world, bench, refs)


@BOTH_PATHS
def test_job_waits_when_the_node_invents_a_receipt(held: Bench, path: ConfirmationPath) -> None:
    world, refs = waiting(held, path)
    world.confirm_jobs(refs)
    before = held.rpc("evm_snapshot")
    mine(held)
    receipt = held.rpc("eth_getTransactionReceipt", attempts(world)[0])
    held.rpc("evm_revert", before)
    assert held.rpc("hardhat_dropTransaction", receipt["transactionHash"])
    mine(held, FINAL_DEPTH)
    block = held.rpc("eth_getBlockByNumber", receipt["blockNumber"], not True)
    invented = receipt | {"blockHash": block["hash"]}
    with (
        lying(held.rpc_url, "eth_getTransactionReceipt", lambda _: invented) as url,
        through(world, held, url),
    ):
        for _ in range(2):
            world.confirm_jobs([])
        assert statuses(world, refs) == {Status.CONFIRMING}
    go_on(world, held, refs)
