"""Starts a stack, stays while it runs, and stops it.

Whatever ends it, during the start or later, ends every process; `stack.json` is there while everything is
ready, and only then.
"""

import asyncio
import gc
import logging
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Never

from botocore.exceptions import BotoCoreError, ClientError

from emulation import docs, provision
from emulation.chain import ChainFailed, Node, deploy_registry, start_node
from emulation.clock import Clock, ManualClock, SystemClock
from emulation.environment import CREDENTIALS, edge_client
from emulation.functions import FunctionError, FunctionHost
from emulation.gateway import usage_store
from emulation.progress import Progress
from emulation.resources import UnsupportedTemplate
from emulation.schedule import period_seconds
from emulation.settings import ClockKind, InvalidProject, Options, Project, faults_of, read_project
from emulation.started import Started
from emulation.state_dir import claimed, description_path, published
from emulation.triggers import run_triggers
from emulation.worker import Declared

if TYPE_CHECKING:
    from emulation.edge import Edge

LOG_FORMAT = "%(asctime)s %(name)s %(levelname)s %(message)s"
START_FAILURES = (
    BotoCoreError,
    ChainFailed,
    ClientError,
    FunctionError,
    InvalidProject,
    OSError,
    UnsupportedTemplate,
    provision.ProvisioningFailed,
    usage_store.UsageFileUnusable,
)


class CannotStart(Exception):
    """Something outside this code is not as it must be; the message says what."""


class ProcessEnded(Exception):
    """A process that the stack needs ended by itself; the message says which, and where its log is."""

    def __init__(self, name: str, status: int, log: Path) -> None:
        super().__init__(f"the process of the {name} ended by itself with {status}; its log: {log}")


@dataclass(frozen=True, slots=True)
class Ready:
    """A stack that is ready: what `stack.json` says, and what its triggers need."""

    description: dict[str, Any]
    declared: Declared
    host: FunctionHost
    node: Node | None


async def run(options: Options, folder: Path, progress: Progress) -> None:
    """Runs a stack for the project in `folder` until cancelled.

    Raises AlreadyRunning, CannotStart or, once it was ready, ProcessEnded.
    """
    with claimed(options.state_dir):
        clock: Clock = SystemClock()
        if options.clock is ClockKind.MANUAL:
            clock = ManualClock(float(int(clock.now())))
        logging.basicConfig(
            filename=options.state_dir / "stack.log", level=logging.WARNING, format=LOG_FORMAT
        )
        async with AsyncExitStack() as running:
            try:
                run = _Run(options, read_project(folder), progress, clock, running)
                ready = await run.start()
            except START_FAILURES as error:
                raise CannotStart(f"{type(error).__name__}: {error} (logs: {options.state_dir})") from error
            gc.freeze()  # what is there stays: walking through all of moto takes seconds, at exit too
            await run.serve(ready)


@dataclass(frozen=True, slots=True)
class _Run:
    """One run of a stack. What it starts is stopped by `running`, the last first."""

    options: Options
    project: Project
    progress: Progress
    clock: Clock
    running: AsyncExitStack

    async def start(self) -> Ready:
        starting_node = self._start_node()
        edge, started = await self._start_edge()
        await asyncio.to_thread(self._provision, started)
        await asyncio.to_thread(self._show_docs, edge, started)
        await self._administer(started)
        node = await starting_node if starting_node else None
        if node:
            await self._deploy(node, started)
        environment = self._environment(started)
        host = FunctionHost(self.project.folder, log=self._log("functions"), functions=self.options.functions)
        self.running.push_async_callback(host.stop)
        declared = await host.start(environment)
        for schedule in declared.schedules:
            with faults_of(f"the schedule of {schedule.function}"):
                period_seconds(schedule.expression)
        edge.attach(host.invoke)
        self.progress.done("functions", ", ".join(declared.functions))
        return Ready(started.description(environment), declared, host, node)

    async def serve(self, ready: Ready) -> None:
        """Says where everything is, and lets the triggers run until cancelled; raises ProcessEnded."""
        sqs = edge_client("sqs", ready.description["edge_url"])
        with published(self.options.state_dir, ready.description):
            self.progress.ready(ready.description, description_path(self.options.state_dir))
            try:
                async with asyncio.TaskGroup() as serving:
                    serving.create_task(run_triggers(ready.declared, sqs, self.clock, ready.host))
                    serving.create_task(self._end_of("functions", ready.host.ended()))
                    if ready.node:
                        serving.create_task(self._end_of("chain", ready.node.process.wait()))
            except ExceptionGroup as ended:
                raise ended.exceptions[0] from None

    async def _end_of(self, name: str, ending: Coroutine[Any, Any, int]) -> Never:
        raise ProcessEnded(name, await ending, self._log(name))

    def _start_node(self) -> asyncio.Task[Node] | None:
        """Begins to start the node, for it takes as long as all else; whoever needs it awaits it."""
        if self.project.contracts is None:
            return None
        starting = asyncio.create_task(start_node(self.project.contracts, self._log("chain")))

        async def stop() -> None:
            starting.cancel()
            with suppress(asyncio.CancelledError, ChainFailed):
                await (await starting).stop()

        self.running.push_async_callback(stop)
        return starting

    async def _start_edge(self) -> "tuple[Edge, Started]":
        usage_file = self._usage_file()
        edge_class = await asyncio.to_thread(_import_edge)
        access_log = self.running.enter_context(self._log("access").open("a"))
        edge = edge_class(
            clock=self.clock,
            aws_endpoint=self.options.aws_endpoint,
            access_log=access_log,
            usage_file=usage_file,
        )
        self.running.push_async_callback(edge.stop)
        try:
            port = await edge.start(port=self.options.port)
        except OSError:
            port = await edge.start(port=0)
            self.progress.note(f"port {self.options.port} is taken, so the edge takes {port}")
        started = Started(edge_url=f"http://127.0.0.1:{port}")
        self.progress.done("edge", started.edge_url)
        return edge, started

    def _usage_file(self) -> usage_store.UsageFile | None:
        usage_dir = self.options.usage_dir
        return self.running.enter_context(usage_store.opened(usage_dir)) if usage_dir else None

    def _provision(self, started: Started) -> None:
        client = partial(edge_client, edge_url=started.edge_url)
        if self.project.resources:
            provision.provision_resources(self.project.resources, client)
            self.progress.done("resources", "tables, queues, buckets")
        if self.project.openapi:
            started.api = provision.provision_api(self.project.openapi, started.edge_url, client)
            self.progress.done("API", started.api.id)
        if self.project.plans and started.api:
            provision.provision_usage_plans(self.project.plans, started.api, client)

    def _show_docs(self, edge: "Edge", started: Started) -> None:
        if self.project.swagger_ui and self.project.openapi and started.api:
            edge.show(docs.read_docs(self.project.swagger_ui, self.project.openapi, started.api.base_url))
            started.docs_url = f"{started.edge_url}{docs.PATH}"

    async def _administer(self, started: Started) -> None:
        if not self.project.provision:
            return
        made = await provision.run_admin(
            self.project.provision, folder=self.project.folder, environment=self._environment(started)
        )
        started.signer, started.tenants = made.signer, made.tenants
        self.progress.done(
            "tenants", ", ".join(f"{each['name']} ({each['plan']})" for each in started.tenants)
        )

    async def _deploy(self, node: Node, started: Started) -> None:
        if started.signer is None:
            raise provision.ProvisioningFailed(
                "a registry needs a signer, and the project's command made none"
            )
        registry = await deploy_registry(node, confirmer=started.signer)
        started.chain = {
            "rpc_url": node.rpc_url,
            "chain_id": node.chain_id,
            "genesis_hash": await node.genesis_hash(),
            "registry": registry,
        }
        self.progress.done("chain", node.rpc_url)

    def _environment(self, started: Started) -> dict[str, str]:
        told = self.project.told(started.facts(self.options.clock))
        return {**CREDENTIALS, "AWS_ENDPOINT_URL": started.edge_url, **told}

    def _log(self, name: str) -> Path:
        return self.options.state_dir / f"{name}.log"


def _import_edge() -> "type[Edge]":
    """Imports moto with it, which takes a second: enough for the node to start meanwhile."""
    from emulation.edge import Edge

    return Edge
