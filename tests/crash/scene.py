"""The real service on the emulator and a node, and a child process that dies in the middle of a use case."""

import multiprocessing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from chalicelib.adapters.dynamodb_chain import DynamoDbChainTransactions
from chalicelib.adapters.dynamodb_jobs import DynamoDbJobs
from chalicelib.adapters.evm import EvmChain
from chalicelib.adapters.memory import ManualClock
from chalicelib.adapters.sqs import SqsQueue
from chalicelib.adapters.system import RandomIds
from chalicelib.domain import wake_up
from chalicelib.domain.job import JobRef
from tests.conformance.real_ports import client, payloads, tables, uploads
from tests.crash.failpoints import KILLED, Failing, Failpoint, kill
from tests.unit.world import World

# Forking from a process that has imported everything costs milliseconds a case.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["tests.crash.scene"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What a process needs to join in; it can be sent to one."""

    endpoint: str
    rpc_url: str
    registry: str
    signer: str
    signer_key: bytes
    tenant: str

    def world(self, now: datetime) -> World:
        """The service on real ports."""
        return World(
            jobs=DynamoDbJobs(tables(self.endpoint)),
            queue=SqsQueue(client("sqs", endpoint=self.endpoint)),
            payloads=payloads(self.endpoint),
            uploads=uploads(self.endpoint),
            transactions=DynamoDbChainTransactions(tables(self.endpoint)),
            chain=EvmChain(self.rpc_url, chain_id=31337, registry=self.registry),
            clock=ManualClock(now),
            ids=RandomIds(),
            tenant=self.tenant,
            signer=self.signer,
            signer_key=self.signer_key,
            registry=self.registry,
        )

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
        sqs = client("sqs", endpoint=self.endpoint)
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        found: list[tuple[JobRef, ...]] = []
        while taken := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in taken:
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                found.append(wake_up.decode(message["Body"]))
        return [refs for refs in found if any(ref.tenant_id == self.tenant for ref in refs)]

    def counted(self, counter: str) -> int:
        """The tenant's entitlement counter."""
        row = tables(self.endpoint).get("entitlements", {"tenant_id": self.tenant, "counter": counter})
        return int(row["jobs"]) if row else 0

    def stored(self, table: str, partition: str) -> list[dict[str, Any]]:
        """Every row of one partition."""
        key = {"jobs": "tenant_id", "usage_events": "tenant_day", "idempotency": "tenant_id"}[table]
        return tables(self.endpoint).query(
            table,
            KeyConditionExpression="#key = :key",
            ExpressionAttributeNames={"#key": key},
            values={":key": partition},
            ConsistentRead=True,
        )

    def signed(self, nonce: int) -> dict[str, Any]:
        """The signer's row of that nonce."""
        row = tables(self.endpoint).get("chain_transactions", {"signer": self.signer, "nonce": nonce})
        assert row is not None, f"nonce {nonce} has no row"
        return row

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
