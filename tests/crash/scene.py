"""The real service on the emulator and a node, and a child process that dies in the middle of a use case."""

import multiprocessing
from dataclasses import dataclass
from datetime import datetime
from functools import cache, partial
from typing import Any

from chalicelib.adapters.dynamodb import Tables
from chalicelib.adapters.dynamodb_chain import DynamoDbChainTransactions
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.dynamodb_usage import DynamoDbUsage
from chalicelib.adapters.evm import EvmChain
from chalicelib.adapters.memory import ManualClock
from chalicelib.adapters.memory_signers import MemorySigners
from chalicelib.adapters.sandbox import ForkedSandbox
from chalicelib.adapters.sqs import SqsQueue
from chalicelib.adapters.system import RandomIds, SystemClock
from chalicelib.domain import wake_up
from chalicelib.domain.job import JobRef
from tests.chain.sender import Witness
from tests.conformance.real_ports import checkpoints, client, payloads, tables, uploads
from tests.crash.failpoints import KILLED, Failing, Failpoint, kill
from tests.unit.world import World

# Forking from a process that has imported everything costs milliseconds a case.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crash.scene"])
# A client of AWS takes longer to make than most of what these tests do with it.
_tables, _payloads, _uploads, _checkpoints = (
    cache(make) for make in (tables, payloads, uploads, checkpoints)
)
_sqs = cache(partial(client, "sqs"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a process needs to join in; it can be sent to one."""

    endpoint: str
    rpc_url: str
    genesis_hash: str
    registry: str
    signer: str
    signer_key: bytes
    tenant: str

    @property
    def tables(self) -> Tables:
        """The service's tables."""
        return _tables(self.endpoint)

    def world(self, now: datetime) -> World:
        """The service on real ports; its chain is offered nothing but what is stored."""
        chain = Witness(
            EvmChain(self.rpc_url, chain_id=31337, genesis_hash=self.genesis_hash, registry=self.registry)
        )
        world = World(
            jobs=DynamoDbJobs(self.tables),
            queue=SqsQueue(_sqs(endpoint=self.endpoint)),
            payloads=_payloads(self.endpoint),
            checkpoints=_checkpoints(self.endpoint),
            uploads=_uploads(self.endpoint),
            usage=DynamoDbUsage(self.tables),
            transactions=DynamoDbChainTransactions(self.tables),
            chain=chain,
            clock=ManualClock(now),
            ids=RandomIds(),
            tenant=self.tenant,
            signers=MemorySigners({self.signer: self.signer_key}),
            genesis_hash=self.genesis_hash,
            registry=self.registry,
        )
        # Runs go on in real time, whatever the clock of the service is.
        world.sandbox = ForkedSandbox(monotonic=SystemClock().monotonic)
        chain.world = world
        return world

    def crash(
        self, world: World, failpoint: Failpoint, use_case: str, *arguments: Any, **options: Any
    ) -> None:
        """Runs the use case in a process of its own, which is killed at the failpoint."""
        child = _processes.Process(
            target=_die,
            args=(self, world.clock.now(), failpoint, use_case, arguments, options),
            daemon=True,
        )
        child.start()
        child.join()
        assert child.exitcode == KILLED, f"the child did not reach {failpoint}: it exited {child.exitcode}"

    def messages(self, queue: str) -> list[tuple[JobRef, ...]]:
        """Takes all visible messages of a queue that name a job of this tenant."""
        sqs = _sqs(endpoint=self.endpoint)
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found: list[tuple[JobRef, ...]] = []
        while taken := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in taken:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(wake_up.decode(message["Body"]))
        return [refs for refs in found if any(ref.tenant_id == self.tenant for ref in refs)]

    def counted(self, counter: str) -> int:
        """The tenant's entitlement counter."""
        row = self.tables.get("entitlements", {"tenant_id": self.tenant, "counter": counter})
        return int(row["jobs"]) if row else 0

    def stored(self, table: str, partition: str) -> list[dict[str, Any]]:
        """Every row of one partition."""
        key = {"jobs": "tenant_id", "usage_events": "tenant_day", "idempotency": "tenant_id"}[table]
        return self.tables.query(
            table,
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": key},
            values={":key": partition},
            ConsistentRead=True,
        )

    def events(self) -> list[str]:
        """The ids of the tenant's usage events of the day."""
        return sorted(row["event_id"] for row in self.stored("usage_events", f"{self.tenant}#2026-11-23"))


def _die(
    scene: Scene,
    now: datetime,
    failpoint: Failpoint,
    use_case: str,
    arguments: tuple[Any, ...],
    options: dict[str, Any],
) -> None:
    world = scene.world(now)
    setattr(world, failpoint.port, Failing(getattr(world, failpoint.port), failpoint, kill))
    getattr(world, use_case)(*arguments, **options)
