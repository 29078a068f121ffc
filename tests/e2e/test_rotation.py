"""Keys that rotate under load, and what is revoked, on a whole stack whose clock the test moves."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from chalicelib.adapters.secrets import TOKEN_KEY
from chalicelib.admin.wiring import Administration
from chalicelib.domain.key_ring import LEAD, ROTATED_EVERY, SKEW, TOKEN_LIFETIME
from chalicelib.use_cases.administer_clients import Wanted
from client.jobs import TIMEOUT_SECONDS
from emulation.environment import edge_client
from tests.stack_process import REPOSITORY, start_stack
from tests.unit.fleet import kid_of
from tests.waiting import until

ABSENT = "/v1/jobs/job_00000000000000000000000000"
POLLERS = 3
LIFETIME = TOKEN_LIFETIME.total_seconds()
WITHIN_SECONDS = 5
A_DAY = 86_400
ME = "test"


class Stack:
    """A running stack, its operator, and its clock."""

    def __init__(self, described: dict[str, Any], http: httpx.Client) -> None:
        self.described = described
        self.http = http
        self.office = Administration.of_environment(described["environment"])
        self.elapsed = 0.0
        self.still: list[threading.Lock] = []

    def move(self, seconds: float) -> None:
        """Time passes, between the requests of those who hold still for it."""
        with ExitStack() as held:
            for lock in self.still:
                held.enter_context(lock)
            httpx.post(self.described["clock_url"], json={"advance_seconds": seconds}).raise_for_status()
            self.elapsed += seconds

    def kids(self) -> set[str]:
        """The published keys."""
        return {key["kid"] for key in self.http.get("/.well-known/jwks.json").json()["keys"]}

    def credentials(self, name: str) -> tuple[str, str]:
        tenant = next(each for each in self.described["tenants"] if each["name"] == name)
        return tenant["client_id"], tenant["client_secret"]

    def ask(self, credentials: tuple[str, str]) -> httpx.Response:
        grant = {"grant_type": "client_credentials"}
        return self.http.post("/v1/oauth/token", data=grant, auth=credentials)

    def token(self, credentials: tuple[str, str]) -> str:
        return str(self.ask(credentials).raise_for_status().json()["access_token"])

    def statuses(self, *tokens: str) -> list[set[int]]:
        """What each token gets, of as many functions as are warm."""

        def read(token: str) -> int:
            return self.http.get(ABSENT, headers={"Authorization": f"Bearer {token}"}).status_code

        with ThreadPoolExecutor(4) as pool:
            return [set(pool.map(read, [token] * 4)) for token in tokens]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with (
        start_stack(tmp_path_factory.mktemp("stack"), "--clock", "manual") as started,
        pytest.MonkeyPatch.context() as patched,
    ):
        described = started.ready()
        for name, value in described["environment"].items():
            patched.setenv(name, value)
        base_url = described["api"]["base_url"]
        with httpx.Client(base_url=base_url, timeout=TIMEOUT_SECONDS) as http:
            yield Stack(described, http)


class Poller:
    """Asks again and again, with a token that it fetches anew when it is about to end."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._credentials = stack.credentials("initech")
        self._token, self._ends_at = "", 0.0
        self._lock = threading.Lock()
        self.answers: Counter[int] = Counter()
        self.kids: set[str] = set()
        stack.still.append(self._lock)

    def poll_until(self, stopping: threading.Event) -> None:
        while not stopping.is_set():
            with self._lock:
                self._poll()

    def _poll(self) -> None:
        if self._stack.elapsed >= self._ends_at:
            self._token = self._stack.token(self._credentials)
            self._ends_at = self._stack.elapsed + LIFETIME
        authorization = {"Authorization": f"Bearer {self._token}"}
        self.answers[self._stack.http.get(ABSENT, headers=authorization).status_code] += 1
        self.kids.add(kid_of(self._token))


@contextmanager
def polling(stack: Stack) -> Iterator[list[Poller]]:
    """Pollers at work, who end with the test, and tell what went wrong with them."""
    pollers, stopping = [Poller(stack) for _ in range(POLLERS)], threading.Event()
    with ThreadPoolExecutor(POLLERS) as pool:
        running = [pool.submit(poller.poll_until, stopping) for poller in pollers]
        try:
            yield pollers
        finally:
            stopping.set()
            stack.still.clear()
        for each in running:
            each.result()


def each_has_polled(pollers: list[Poller]) -> None:
    """All of them have been answered twice since now."""
    before = [poller.answers.total() for poller in pollers]
    until(
        lambda: all(p.answers.total() >= n + 2 for p, n in zip(pollers, before, strict=True)),
        within_seconds=20,
        what="that each poller is answered",
    )


def rotate_by_command() -> dict[str, Any]:
    command = [sys.executable, "-m", "chalicelib.admin", "keys", "rotate", "--json"]
    printed = subprocess.run(command, cwd=REPOSITORY, env=dict(os.environ), capture_output=True, check=True)
    document: dict[str, Any] = json.loads(printed.stdout)
    return document


def is_kept(stack: Stack, kid: str) -> bool:
    """Whether the private half is in Secrets Manager."""
    secrets = edge_client("secretsmanager", stack.described["edge_url"])
    names = [each["Name"] for each in secrets.list_secrets(MaxResults=100)["SecretList"]]
    return TOKEN_KEY.format(kid=kid) in names


def test_nobody_is_refused_when_keys_rotate_under_load_by_command_and_by_schedule(stack: Stack) -> None:
    [first] = stack.kids()
    with polling(stack) as pollers:

        def pass_time(*seconds: float) -> None:
            for each in seconds:
                stack.move(each)
                each_has_polled(pollers)

        each_has_polled(pollers)
        rotate_by_command()
        [second] = stack.kids() - {first}
        pass_time(LEAD.total_seconds() - 1)
        assert kid_of(stack.token(stack.credentials("acme"))) == first
        pass_time(1)
        assert kid_of(stack.token(stack.credentials("acme"))) == second
        pass_time(LIFETIME / 2, LIFETIME / 2)
        assert stack.kids() == {first, second}
        pass_time(2 * SKEW.total_seconds() + 1)
        assert stack.kids() == {second}
        pass_time(A_DAY)
        until(lambda: not is_kept(stack, first), within_seconds=20, what="that the private key is dropped")
        pass_time(ROTATED_EVERY.total_seconds() - A_DAY)
        until(lambda: len(stack.kids()) == 2, within_seconds=20, what="the rotation by the schedule")
        pass_time(LEAD.total_seconds(), LIFETIME)
    [third] = stack.kids() - {second}
    assert [poller.kids for poller in pollers] == [{first, second, third}] * POLLERS
    answered = sum((poller.answers for poller in pollers), Counter[int]())
    assert answered.keys() <= {404, 429}
    assert answered[404] >= 20 * POLLERS


def test_no_old_token_is_taken_and_each_new_one_is_when_the_keys_are_compromised(stack: Stack) -> None:
    credentials = [stack.credentials(name) for name in ("acme", "globex")]
    old = [stack.token(each) for each in credentials]
    assert stack.statuses(*old) == [{404}] * 2
    ring = stack.office.keys.replace(actor=ME)
    new = [stack.token(each) for each in credentials]
    stack.move(WITHIN_SECONDS)
    assert stack.statuses(*old, *new) == [{401}] * 2 + [{404}] * 2
    assert stack.kids() == {key.kid for key in ring.keys} == {kid_of(token) for token in new}
    stack.move(LIFETIME / 2)
    assert stack.statuses(*old, *new) == [{401}] * 2 + [{404}] * 2


def test_a_revoked_client_is_refused_at_once_and_its_tokens_within_five_seconds(stack: Stack) -> None:
    made = another_client(stack, "acme")
    token, others = stack.token(made), [stack.token(stack.credentials(name)) for name in ("acme", "globex")]
    assert stack.statuses(token, *others) == [{404}] * 3
    stack.office.clients.revoke(made[0], actor=ME)
    refusal = stack.ask(made)
    assert (refusal.status_code, refusal.json()["error"]) == (401, "invalid_client")
    stack.move(WITHIN_SECONDS)
    assert stack.statuses(token, *others) == [{401}, {404}, {404}]


def test_all_of_a_tenant_stops_and_goes_on_within_five_seconds(stack: Stack) -> None:
    mine = [stack.credentials("globex"), another_client(stack, "globex")]
    tokens, other = [stack.token(each) for each in mine], stack.token(stack.credentials("acme"))
    assert stack.statuses(*tokens, other) == [{404}] * 3
    stack.office.tenants.suspend("globex", actor=ME)
    assert [stack.ask(each).json()["error"] for each in mine] == ["unauthorized_client"] * 2
    stack.move(WITHIN_SECONDS)
    assert stack.statuses(*tokens, other) == [{401}, {401}, {404}]
    stack.office.tenants.resume("globex", actor=ME)
    renewed = [stack.token(each) for each in mine]
    stack.move(WITHIN_SECONDS)
    assert stack.statuses(*tokens, *renewed, other) == [{404}] * 5


def another_client(stack: Stack, name: str) -> tuple[str, str]:
    tenant = stack.office.tenants.named(name)
    shown = stack.office.clients.add(tenant, Wanted(), actor=ME)
    assert shown.secret is not None
    return shown.client.client_id, shown.secret
