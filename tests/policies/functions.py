"""The functions of app.py on their real adapters; what they call is recorded, and moto answers it in here."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ReadTimeoutError
from botocore.session import Session

import app as project
from chalicelib.adapters.memory_chain import GENESIS_HASH, MemoryChain
from chalicelib.adapters.memory_logs import MemoryLogs
from chalicelib.adapters.memory_sandbox import MemorySandbox
from chalicelib.adapters.s3 import Links
from chalicelib.aws import Adapters
from chalicelib.container import Container
from chalicelib.domain import wake_up
from chalicelib.domain.job import JobRef
from chalicelib.ports import Sandbox
from chalicelib.settings import Settings
from emulation.aws import Aws
from emulation.clock import ManualClock
from emulation.schedule import event_at
from emulation.worker import LambdaContext, load
from tests.api.memory_adapters import StackClock
from tests.conformance.in_process import answer
from tests.policies.iam import REGION
from tests.policies.recorded_ports import PORTS, RecordedPort
from tests.policies.recorder import RecordedLinks, Recorder

HANDLERS, DECLARED = load(())
START = 1_795_000_000.0  # a moment in November 2026, in Unix seconds
SETTINGS = Settings(
    aws_endpoint="http://127.0.0.1:4566",
    base_url="http://stack.test/local",
    rpc_url="http://127.0.0.1:1",
    chain_id=31337,
    registry="0x" + "aa" * 20,
    genesis_hash=GENESIS_HASH,
    clock_url=None,
)
SIGNER, SIGNER_SECRET = "0x" + "51" * 20, "a7" * 32
# A call that is to fail fails at once, and no test waits between two tries.
ONE_TRY = Config(retries={"total_max_attempts": 1})


class Wire:
    """From botocore to `aws` and back."""

    def __init__(self, aws: Aws) -> None:
        self._aws = aws
        self._lost: str | None = None

    def __call__(self, request: AWSPreparedRequest, **_: object) -> AWSResponse:
        answered = answer(self._aws, request)
        target = bytes(request.headers.get("X-Amz-Target", b"")).decode()
        if target.rpartition(".")[2] == self._lost:
            raise ReadTimeoutError(endpoint_url=request.url)
        return answered

    @contextmanager
    def losing(self, operation: str) -> Iterator[None]:
        """Meanwhile this operation of DynamoDB's is done, and its answers are lost."""
        self._lost = operation
        yield
        self._lost = None


class Invocation(LambdaContext):
    """What a function is told; its `deadline` is so many seconds away, however long it takes."""

    def get_remaining_time_in_millis(self) -> int:
        return int(self.deadline * 1000)


class RecordedAdapters(Adapters):
    """The adapters of a function, with a clock, a chain and runs in the test's hand."""

    def __init__(self, clock: ManualClock, chain: MemoryChain, recorder: Recorder) -> None:
        super().__init__(SETTINGS)
        self.clock = StackClock(clock)
        self._chain = chain
        self._recorder = recorder

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        return RecordedPort(name, found, self._recorder) if name in PORTS else found

    def client(self, service: str, *, patience: Config | None = None) -> Any:
        """See `Adapters.client`."""
        return super().client(service, patience=ONE_TRY)

    @cached_property
    def links(self) -> Links:
        """See `Adapters.links`."""
        return RecordedLinks(super().links, self._recorder)

    @property
    def chain(self) -> Any:
        """See `Adapters.chain`; it is no service of AWS."""
        return self._chain

    @cached_property
    def chain_logs(self) -> Any:
        """See `Adapters.chain_logs`; nor are they."""
        return MemoryLogs()

    @cached_property
    def sandbox(self) -> Sandbox:
        """See `Adapters.sandbox`; nor is this one."""
        return MemorySandbox(monotonic=self.clock.monotonic)


class Functions:
    """Invokes the app's functions; each is a process of its own, so each has a container of its own."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.recorder = Recorder()
        self.clock = ManualClock(START)
        self.aws = Aws(self.clock)
        self.wire = Wire(self.aws)
        self.chain = MemoryChain()
        self.invoked: set[str] = set()
        self._patch = patch
        self._containers: dict[str, Container] = {}
        self._open_session()
        self.adapters = self._new_adapters()

    def invoke(self, name: str, event: Mapping[str, Any], *, seconds: float = 60.0) -> Any:
        """What the function returns, which has so many seconds."""
        self.invoked.add(name)
        with self.recorder.running(name):
            container = self._containers.get(name) or self._start(name)
            self._patch.setattr(project, "wired", lambda: container)
            context = Invocation(function_name=name, aws_request_id="r1", deadline=seconds)
            return HANDLERS[name](event, context)

    def wake(self, name: str, *refs: JobRef, seconds: float = 60.0) -> None:
        """A message of the function's queue, which names these jobs."""
        record = {"messageId": "m1", "body": wake_up.encode(refs), "messageAttributes": {}}
        self.invoke(name, {"Records": [record]}, seconds=seconds)

    def fire(self, name: str) -> None:
        """The function's schedule."""
        self.invoke(name, event_at(self.clock.now(), name, "e1"))

    def _open_session(self) -> None:
        """Whoever makes a client by boto3 is heard and answered in here: nothing leaves the process."""
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            self._patch.setenv(name, "test")
        self._patch.setenv("AWS_DEFAULT_REGION", REGION)
        session = Session()
        self.recorder.listen(session)
        session.register("before-send", self.wire)
        self._patch.setattr(boto3, "DEFAULT_SESSION", boto3.Session(botocore_session=session))

    def _start(self, name: str) -> Container:
        """As app.py does when its process starts."""
        container = self._containers[name] = Container(self._new_adapters())
        container.open_clients()
        return container

    def _new_adapters(self) -> RecordedAdapters:
        return RecordedAdapters(self.clock, self.chain, self.recorder)
