"""The command `jobs` in this process, against the API's own functions, over a network with troubles."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any, TypeAlias

import httpx
import pytest
from typer.testing import CliRunner

from chalicelib.adapters.memory_uploads import MemoryPayloads, MemoryUploads
from chalicelib.domain.chain_transaction import FINAL_DEPTH
from chalicelib.domain.job import JobRef
from chalicelib.domain.payload import Link, Upload
from client.cli.commands import app
from client.cli.session import Outside
from client.system import System
from tests.api.conftest import ACME, Api, client_id
from tests.api.conftest import SECRET as SECRET
from tests.api.conftest import api as api
from tests.api.conftest import gateway as gateway
from tests.api.conftest import loop as loop

SEED = "0x" + "00" * 32
SMALL = json.dumps({"seed": SEED, "rounds": 3})
STORE = "http://store.test"
Send: TypeAlias = Callable[[httpx.Request], httpx.Response]
Trouble: TypeAlias = Callable[[httpx.Request, Send], httpx.Response]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command left behind."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def document(self) -> Any:
        return json.loads(self.stdout)

    @property
    def lines(self) -> list[Any]:
        """What stdout says to a program, line by line."""
        return [json.loads(line) for line in self.stdout.splitlines()]

    @property
    def said(self) -> list[Any]:
        """What stderr says to a program, line by line."""
        return [json.loads(line) for line in self.stderr.splitlines()]


class Network(httpx.BaseTransport):
    """Reaches the API and the object store; each trouble befalls one request to a path that ends as given."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._http = httpx.HTTPTransport()
        self._troubles: list[tuple[str, Trouble]] = []
        self.asked: list[httpx.Request] = []

    def trouble(self, path: str, *troubles: Trouble) -> None:
        self._troubles += [(path, each) for each in troubles]

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        for place, (path, trouble) in enumerate(self._troubles):
            if request.url.path.endswith(path):
                del self._troubles[place]
                return trouble(request, self._send)
        return self._send(request)

    def close(self) -> None:
        self._http.close()

    def sent(self, header: str) -> list[str]:
        """The header's values of the requests that had it."""
        return [each.headers[header] for each in self.asked if header in each.headers]

    def paths(self) -> list[str]:
        return [each.url.path for each in self.asked]

    def _send(self, request: httpx.Request) -> httpx.Response:
        if request.url.host != "store.test":
            return self._http.handle_request(request)
        if request.method == "GET":
            return httpx.Response(200, content=self._api.adapters.payloads.get(request.url.path[1:]))
        names = ("content-length", "x-amz-checksum-sha256")
        headers = {name: request.headers[name] for name in names}
        now, body = self._api.adapters.clock.now(), request.read()
        is_stored = self._api.adapters.uploads.send(str(request.url), headers, body, now=now)
        return httpx.Response(200 if is_stored else 403)


class LinkedUploads(MemoryUploads):
    """Its links can be followed."""

    def link(self, upload: Upload, *, now: datetime) -> Link:
        link = super().link(upload, now=now)
        linked = Link(f"{STORE}/{upload.upload_id}", link.expires_at)
        self._announced[linked.url] = self._announced[link.url]
        return linked


class LinkedPayloads(MemoryPayloads):
    """Its links can be followed."""

    def link(self, storage_key: str, *, now: datetime) -> Link:
        return Link(f"{STORE}/{storage_key}", super().link(storage_key, now=now).expires_at)


@dataclass(slots=True)
class SharedTime(System):
    """The service's clock, which moves while a command pauses; each pause has a step of `meanwhile`."""

    api: Api
    pauses: list[float] = field(default_factory=list)
    meanwhile: Iterator[Callable[[], object]] = field(default_factory=lambda: iter(()))
    # A machine that sleeps may keep its clock standing still.
    seconds_asleep: float = 0.0

    def monotonic(self) -> float:
        return self.api.stack.clock.now() - self.seconds_asleep

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.api.stack.clock.advance(seconds)
        next(self.meanwhile, lambda: None)()

    def sleep(self, seconds: float) -> None:
        self.seconds_asleep += seconds
        self.api.stack.clock.advance(seconds)


class Jobs:
    """The command, as one tenant's client."""

    def __init__(self, api: Api) -> None:
        self.api = api
        api.adapters.uploads = LinkedUploads()
        api.adapters.payloads = LinkedPayloads()
        self.network = Network(api)
        self.system = SharedTime(api)

    def __call__(
        self,
        *arguments: str,
        stdin: bytes | None = None,
        tenant: str = ACME,
        environment: Mapping[str, str | None] | None = None,
    ) -> Ran:
        ran = CliRunner().invoke(
            app,
            arguments,
            input=stdin,
            env={**self.environment(tenant), **(environment or {})},
            obj=Outside(self.system, self.network),
            prog_name="jobs",
        )
        assert ran.exception is None or isinstance(ran.exception, SystemExit), ran.stderr
        return Ran(ran.exit_code, ran.stdout, ran.stderr)

    def environment(self, tenant: str = ACME) -> dict[str, str | None]:
        return {
            **dict.fromkeys(("JOBS_RPC_URL", "JOBS_REGISTRY", "JOBS_TENANT_ID", "FORCE_COLOR")),
            "JOBS_URL": self.api.base_url,
            "JOBS_CLIENT_ID": client_id(tenant),
            "JOBS_CLIENT_SECRET": SECRET,
        }

    def submitted(self, *arguments: str, tenant: str = ACME) -> str:
        """The id of a job that has just been submitted."""
        ran = self("submit", "sha256.chain", "--input", SMALL, *arguments, tenant=tenant)
        assert ran.exit_code == 0, ran.stderr
        return ran.stdout.strip()

    def work(self, *job_ids: str) -> Iterator[Callable[[], object]]:
        """What a worker and the chain do with the jobs, step by step; the first pause is before any look."""
        refs = [JobRef(ACME, job_id) for job_id in job_ids]

        def confirm() -> None:
            self.api.container.confirm_jobs(refs)

        def mine() -> None:
            self.api.adapters.chain.mine(1)
            confirm()

        runs = [lambda job_id=job_id: self.api.run(job_id) for job_id in job_ids]
        return chain([lambda: None], runs, [confirm], [mine] * FINAL_DEPTH)

    def finish(self, *job_ids: str) -> None:
        """The jobs run and are confirmed."""
        for step in self.work(*job_ids):
            step()


@pytest.fixture
def jobs(api: Api) -> Iterator[Jobs]:
    command = Jobs(api)
    yield command
    command.network.close()


def lost_answer(request: httpx.Request, send: Send) -> httpx.Response:
    """The request arrives, and its answer does not."""
    send(request).read()
    raise httpx.ReadError("connection reset")


def no_connection(_request: httpx.Request, _send: Send) -> httpx.Response:
    raise httpx.ConnectError("connection refused")


def interrupted(_request: httpx.Request, _send: Send) -> httpx.Response:
    """Ctrl-C while the answer is awaited."""
    raise KeyboardInterrupt


def answering(status: int, body: Any = None, **headers: str) -> Trouble:
    """Something answers in the API's place."""
    answer = httpx.Response(status, json=body, headers={k.replace("_", "-"): v for k, v in headers.items()})
    return lambda _request, _send: answer
