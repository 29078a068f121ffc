"""Runs the app's functions as Lambda does: one invocation at a time in a process, warm ones used again.

A function that overruns its limit is killed, one that crashes takes nobody with it, and the next invocation
gets a fresh process (`worker` is the far side). Unlike Lambda, an invocation beyond the concurrency that is
left waits instead of being throttled: one machine has fewer processes than a cloud.
"""

import asyncio
import json
import marshal
import os
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from emulation import clock, worker
from emulation.environment import isolated
from emulation.limits import read_limits
from emulation.parents import end_session, ending_with_us
from emulation.pool import Channel, Pool, Worker
from emulation.worker import Declared, QueueSource, Schedule

MAX_CONCURRENCY = 64
"""Some saturate two cores and the others wait, as long polls do; each costs some 12 MiB."""

STOP_SECONDS = 1.0
"""The processes end within a hundredth; one that still imports the app may never, and is killed."""


class FunctionError(Exception):
    """An invocation did not return a result."""


class UnknownFunction(FunctionError):
    """No function has that name."""


class FunctionTimedOut(FunctionError):
    """The caller stopped waiting; the function goes on."""


class FunctionFailed(FunctionError):
    """The function raised, overran its own limit, or its process ended before it answered."""

    def __init__(self, name: str, error_type: str, message: str) -> None:
        super().__init__(f"{name}: {error_type}: {message}")
        self.name = name
        self.error_type = error_type
        self.message = message


class FunctionHost:
    """Invokes the functions of the app in `project`, and those of `functions` (`NAME=MODULE:HANDLER`).

    What they print goes to `log`. Every process that it starts ends with `stop`, or with this process.
    """

    def __init__(self, project: Path, *, log: Path, functions: tuple[str, ...] = ()) -> None:
        self._project = project
        self._log = log
        self._functions = functions
        self._pools: dict[str, Pool] = {}
        self._free = asyncio.Semaphore(MAX_CONCURRENCY)
        self._running: set[asyncio.Task[object]] = set()
        self._control: socket.socket | None = None
        self._zygote: asyncio.subprocess.Process | None = None

    async def start(self, environment: Mapping[str, str]) -> Declared:
        """Imports the app in `environment`; raises FunctionFailed if that fails.

        Call it from a thread that lives as long as the host shall: Linux ends an import with that thread.
        """
        ours, theirs = socket.socketpair()
        self._control = ours
        with theirs, self._log.open("ab") as log:
            self._zygote = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "emulation.worker", str(theirs.fileno()), *self._functions),
                cwd=self._project,
                env={**isolated(os.environ), **environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                preexec_fn=ending_with_us(signal.SIGKILL),
            )
        told: bytes | None = await asyncio.to_thread(worker.receive, ours)
        answer = json.loads(told or b'{"error": "it exited"}')
        if "error" in answer:
            raise FunctionFailed("app", "Runtime.ImportModuleError", answer["error"])
        declared = _declared(answer)
        for name in declared.functions:
            limits = read_limits(self._project / ".chalice" / "config.json", name)
            self._pools[name] = Pool(limits, asyncio.Semaphore(limits.concurrency or MAX_CONCURRENCY))
        return declared

    def concurrency(self, name: str) -> int | None:
        """How many invocations of the function the app's configuration reserves, if it says so."""
        return self._pools[name].limits.concurrency

    async def invoke(self, name: str, event: object, timeout_seconds: float) -> object:
        """The function's result, waited for no longer than `timeout_seconds`.

        A caller that stops waiting does not stop the function: as in Lambda, it runs on to its own limit.
        """
        if name not in self._pools:
            raise UnknownFunction(name)
        run = asyncio.create_task(self._run(name, event))
        self._running.add(run)
        run.add_done_callback(self._forget)
        done, _ = await asyncio.wait({run}, timeout=timeout_seconds)
        if not done:
            raise FunctionTimedOut(name)
        return run.result()

    async def ended(self) -> int:
        """Returns, with the exit status, once the process that all functions come from is no more."""
        assert self._zygote is not None, "not started"
        return await self._zygote.wait()

    async def stop(self) -> None:
        """Ends every process; whoever waits for a function gets FunctionFailed."""
        if self._control is not None:
            with suppress(OSError):  # it is already gone
                self._control.shutdown(socket.SHUT_RDWR)  # close alone leaves a thread that reads it waiting
            self._control.close()
        if self._zygote is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._zygote.wait(), STOP_SECONDS)
            await end_session(self._zygote)
        await asyncio.gather(*self._running, return_exceptions=True)
        for pool in self._pools.values():
            while pool.idle:
                pool.idle.pop().retire()

    def _forget(self, run: asyncio.Task[object]) -> None:
        self._running.discard(run)
        if not run.cancelled():
            run.exception()  # seen, although nobody may be waiting any more

    async def _run(self, name: str, event: object) -> object:
        pool = self._pools[name]
        async with pool.free, self._free:
            chosen = pool.take() or await self._fork(name)
            try:
                reply = await self._answer(chosen, name, event)
            except BaseException:
                chosen.kill()  # whatever it was: what the process would say next is unknown
                raise
            pool.put_back(chosen)
        if "error_type" in reply:
            raise FunctionFailed(name, reply["error_type"], reply["message"])
        return reply["result"]

    async def _answer(self, chosen: Worker, name: str, event: object) -> dict[str, Any]:
        seconds = self._pools[name].limits.timeout_seconds
        deadline = clock.monotonic() + seconds
        request = {"function": name, "event": event, "request_id": clock.request_id(), "deadline": deadline}
        limit: asyncio.TimerHandle | None = None
        try:
            answer = chosen.channel.ask(marshal.dumps(request))
            limit = asyncio.get_running_loop().call_later(seconds, chosen.channel.give_up)
            reply: dict[str, Any] = json.loads(await answer)
            return reply
        except TimeoutError:
            failed = FunctionFailed(name, "Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
        except (EOFError, ConnectionError):
            failed = FunctionFailed(name, "Runtime.ExitError", "the process ended before it answered")
        except (RecursionError, ValueError) as error:
            failed = FunctionFailed(name, "Runtime.MarshalError", str(error))
        finally:
            if limit is not None:
                limit.cancel()
        self._note(str(failed))
        raise failed

    async def _fork(self, name: str) -> Worker:
        assert self._control is not None, "invoked before start"
        ours, theirs = socket.socketpair()
        loop = asyncio.get_running_loop()
        _, channel = await loop.create_unix_connection(Channel, sock=ours)
        try:
            with theirs:
                socket.send_fds(self._control, [b"+"], [theirs.fileno()])
            hello = json.loads(await channel.answer())
        except (EOFError, OSError) as error:
            channel.close()
            raise FunctionFailed(name, "Runtime.Unavailable", "no process could be started") from error
        return Worker(hello["pid"], channel)

    def _note(self, line: str) -> None:
        with self._log.open("a") as log:
            log.write(line + "\n")


def _declared(answer: Any) -> Declared:
    return Declared(
        functions=tuple(answer["functions"]),
        queues=tuple(QueueSource(**each) for each in answer["queues"]),
        schedules=tuple(Schedule(**each) for each in answer["schedules"]),
    )
