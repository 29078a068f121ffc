"""`signers …`, as an operator and as a program see them; the sender works in this process."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from chalicelib.adapters.registry_calls import CONFIRMER_ROLE
from chalicelib.adapters.signers import SIGNER_KEY
from emulation.environment import edge_client
from tests.admin.chain import NOBODY, AdminChain
from tests.admin.commands import SIGNER, Admin, Ran
from tests.unit.world import World

BLOCK_MILLISECONDS = 200
CHAIN_VARIABLES = ("JOBS_CHAIN_RPC_URL", "JOBS_CHAIN_ID", "JOBS_REGISTRY", "JOBS_GENESIS_HASH")


@contextmanager
def at_work(chain: AdminChain, world: World) -> Iterator[None]:
    """Blocks come by themselves, and the sender looks at what is open."""
    chain.rpc("evm_setIntervalMining", BLOCK_MILLISECONDS)
    ended = threading.Event()

    def send() -> None:
        while not ended.wait(BLOCK_MILLISECONDS / 1000):
            world.confirm_jobs([])

    with ThreadPoolExecutor(1) as pool:
        sending = pool.submit(send)
        try:
            yield
        finally:
            ended.set()
            chain.rpc("evm_setIntervalMining", 0)
        sending.result()


@pytest.fixture
def rotated(admin: Admin, chain: AdminChain, world: World) -> Callable[..., Ran]:
    """Rotates while the stack works."""

    def run(*options: str) -> Ran:
        with at_work(chain, world):
            return admin("signers", "rotate", *options)

    return run


def signers(ran: Ran) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = Ran(ran.status, ran.out, "").document["signers"]
    return found


def kept(edge_url: str) -> set[str]:
    """The signers whose private keys are in Secrets Manager."""
    secrets = edge_client("secretsmanager", edge_url).list_secrets(MaxResults=100)["SecretList"]
    before = SIGNER_KEY.format(address="")
    return {each["Name"].removeprefix(before) for each in secrets if each["Name"].startswith(before)}


@pytest.mark.usefixtures("registry")
def test_the_first_signer_is_listed_when_the_stack_is_provisioned(admin: Admin) -> None:
    listed = admin("signers", "list", "--json").document
    assert set(listed) == {"signers"}
    signer = listed["signers"][-1]
    assert set(signer) == SIGNER
    assert (signer["duty"], signer["is_confirmer"]) == ("active", True)
    assert (signer["balance_wei"], signer["open_transactions"], signer["next_nonce"]) == (str(10**20), 0, 0)
    header, *_, line = admin("signers", "list").text.splitlines()
    assert header.split() == ["SIGNER", "DUTY", "ROLE", "BALANCE", "OPEN", "NEXT", "NONCE"]
    assert line.split() == [signer["address"], "active", "confirmer", "100.0000", "ETH", "0", "0"]


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("options", [(), ("--compromised",)])
def test_the_next_signer_is_active_and_the_last_has_no_key_when_it_is_rotated(
    edge_url: str, admin: Admin, rotated: Callable[..., Ran], options: tuple[str, ...]
) -> None:
    before = signers(admin("signers", "list", "--json"))
    ran = rotated("--json", *options)
    *_, old, new = after = signers(ran)
    assert (len(after), old["address"]) == (len(before) + 1, before[-1]["address"])
    assert (old["duty"], old["is_confirmer"]) == ("retired", False)
    assert (new["duty"], new["is_confirmer"], new["balance_wei"]) == ("active", True, str(50 * 10**18))
    assert kept(edge_url) == {new["address"]}
    is_returned = int(old["balance_wei"]) < int(before[-1]["balance_wei"]) / 1000
    assert is_returned is (options == ())
    assert ran.err.splitlines()[-1] == f"{old['address']} is retired"
    acts = [(event["act"], event["subject"]) for event in admin("audit", "--json").document["events"][:3]]
    assert acts == [
        ("signer.retired", old["address"]),
        ("signer.appointed", new["address"]),
        ("signer.added", new["address"]),
    ]


@pytest.mark.usefixtures("registry")
def test_a_person_reads_each_step_when_it_is_taken(rotated: Callable[..., Ran]) -> None:
    ran = rotated()
    assert (ran.status, ran.out.splitlines()[0].split()[0]) == (0, "SIGNER")
    *_, old, new = (line.split()[0] for line in ran.out.splitlines())
    assert [f"{new} is active" in ran.err, f"{old} is retired" in ran.err] == [True, True]


@pytest.mark.usefixtures("registry")
def test_the_next_run_goes_on_when_patience_has_ended(admin: Admin, rotated: Callable[..., Ran]) -> None:
    cut_short = admin("signers", "rotate", "--patience", "1")
    assert (cut_short.status, cut_short.out) == (1, "")
    *_, line = cut_short.err.splitlines()
    assert line.startswith("After 1 seconds: the appointment of 0x")
    assert line.endswith("then run the command again, which goes on from here.")
    *_, old, joining = signers(admin("signers", "list", "--json"))
    assert (old["duty"], joining["duty"]) == ("active", "joining")
    *_, retired, active = signers(rotated("--json"))
    assert (retired["address"], active["address"]) == (old["address"], joining["address"])
    assert (retired["duty"], active["duty"]) == ("retired", "active")


@pytest.mark.usefixtures("registry")
def test_the_operator_is_told_what_to_sign_when_the_node_has_not_the_admins_key(
    admin: Admin, chain: AdminChain, monkeypatch: pytest.MonkeyPatch
) -> None:
    owned = chain.deploy_for_admin(NOBODY)
    monkeypatch.setenv("JOBS_REGISTRY", owned)
    ran = admin("signers", "rotate")
    assert (ran.status, ran.out) == (1, "")
    *_, joining = signers(admin("signers", "list", "--json"))
    grant = f"{CONFIRMER_ROLE.hex()}{joining['address'][2:].lower():0>64}"
    assert f"does not hold the key of the registry's admin {NOBODY}" in ran.err
    assert f"to {owned}, value 0 wei, data 0x2f2ff15d{grant}" in ran.err  # grantRole(bytes32,address)


def test_one_line_names_what_is_missing_when_the_environment_has_no_chain(admin: Admin) -> None:
    for command in (("signers", "list"), ("signers", "rotate"), ("verify", f"job_{0:026d}")):
        assert admin(*command).refusal.startswith(
            f"{', '.join(CHAIN_VARIABLES)} are not set: start a stack with `make up`"
        )


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("variable", CHAIN_VARIABLES)
def test_one_line_names_the_variable_when_one_is_missing(
    admin: Admin, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv(variable)
    assert admin("signers", "list").refusal.startswith(f"{variable} is not set: start a stack")


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize(
    ("variable", "value", "line"),
    [
        ("JOBS_CHAIN_RPC_URL", "http://127.0.0.1:9", "The node does not answer as it should"),
        ("JOBS_CHAIN_ID", "1", "The node runs chain 31337, and we are configured for 1."),
        ("JOBS_CHAIN_ID", "one", "JOBS_CHAIN_ID is 'one', and no number"),
        ("JOBS_GENESIS_HASH", "0x" + "00" * 32, "The node's chain 31337 is not ours"),
    ],
)
def test_a_line_says_so_when_the_chain_is_not_the_stacks(
    admin: Admin, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, line: str
) -> None:
    monkeypatch.setenv(variable, value)
    for command in (("signers", "list"), ("signers", "rotate")):
        ran = admin(*command)
        assert (ran.status, ran.out) == (1, "")
        assert ran.err.splitlines()[-1].startswith(line)


@pytest.mark.parametrize(
    "arguments",
    [
        ("signers",),
        ("signers", "rotate", "--patience", "0"),
        ("signers", "rotate", "0x1"),
        ("signers", "drop"),
    ],
)
def test_the_status_is_2_when_a_command_about_signers_is_written_wrongly(
    admin: Admin, arguments: tuple[str, ...]
) -> None:
    assert admin(*arguments).status == 2
