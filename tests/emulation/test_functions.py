"""What Lambda promises about functions, of the processes that stand in for it."""

import asyncio
import sys
from collections import deque
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from chalice.constants import DEFAULT_LAMBDA_TIMEOUT

from emulation.functions import (
    MAX_CONCURRENCY,
    FunctionFailed,
    FunctionHost,
    FunctionTimedOut,
    UnknownFunction,
)
from emulation.limits import Limits, read_limits
from emulation.pool import KEPT_IDLE, Pool, Worker
from emulation.worker import Declared, QueueSource, Schedule
from tests.emulation.meeting import meeting_point
from tests.stack_process import REPOSITORY, processes_writing_to
from tests.waiting import until

APP = Path(__file__).parent / "app"
APP_THAT_HANGS = Path(__file__).parent / "app_that_hangs"
PATIENCE = 20.0


@asynccontextmanager
async def running(tmp_path: Path, *functions: str) -> AsyncIterator[FunctionHost]:
    host = FunctionHost(APP, log=tmp_path / "functions.log", functions=functions)
    try:
        await host.start({"GREETING": "hello"})
        yield host
    finally:
        await host.stop()
    assert processes_writing_to(tmp_path) == []


def play(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def test_result_and_context_are_lambdas_when_a_function_returns(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host:
            seen: Any = await host.invoke("describe", {"a": [1]}, PATIENCE)
        assert seen["event"] == {"a": [1]}
        assert seen["function"] == "describe"
        assert seen["arn"] == "arn:aws:lambda:us-east-1:123456789012:function:describe"
        assert 0 < seen["remaining_ms"] <= 20_000
        assert seen["greeting"] == "hello"

    play(scenario())


def test_no_aws_setting_of_this_machine_is_seen_when_a_function_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")

    async def scenario() -> None:
        async with running(tmp_path) as host:
            seen: Any = await host.invoke("describe", None, PATIENCE)
        assert seen["profile"] is None

    play(scenario())


def test_one_process_serves_all_when_invocations_follow_each_other(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host:
            first: Any = await host.invoke("describe", None, PATIENCE)
            second: Any = await host.invoke("describe", None, PATIENCE)
        assert (first["pid"], first["invocations"]) == (second["pid"], second["invocations"] - 1)

    play(scenario())


def test_type_and_message_come_back_when_a_function_raises(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host:
            with pytest.raises(FunctionFailed) as failed:
                await host.invoke("fail", {"message": "no such thing"}, PATIENCE)
        assert (failed.value.error_type, failed.value.message) == ("LookupError", "no such thing")
        assert "LookupError: no such thing" in (tmp_path / "functions.log").read_text()

    play(scenario())


@pytest.mark.parametrize(
    ("name", "error_type"), [("crash", "Runtime.ExitError"), ("unserializable", "TypeError")]
)
def test_others_are_served_when_an_invocation_fails(tmp_path: Path, name: str, error_type: str) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host, meeting_point() as point:
            bystander = asyncio.create_task(host.invoke("meet", {"port": point.port}, PATIENCE))
            guest = await point.guest()
            for _ in range(2):
                with pytest.raises(FunctionFailed) as failed:
                    await host.invoke(name, None, PATIENCE)
                assert failed.value.error_type == error_type
            await guest.let_go("well")
            assert await bystander == "well"

    play(scenario())


def test_process_is_killed_when_its_function_overruns_its_limit(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host, meeting_point() as point:
            invocation = asyncio.create_task(host.invoke("hang", {"port": point.port}, PATIENCE))
            guest = await point.guest()
            with pytest.raises(FunctionFailed, match=r"Task timed out after 1\.00 seconds"):
                await invocation
            await guest.gone()
            seen: Any = await host.invoke("describe", None, PATIENCE)
        assert str(seen["pid"]) != guest.line

    play(scenario())


def test_process_is_killed_when_its_answer_cannot_be_read(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host, meeting_point() as point:
            with pytest.raises(FunctionFailed) as failed:
                await host.invoke("nest", {"port": point.port}, PATIENCE)
            assert failed.value.error_type == "Runtime.MarshalError"
            await asyncio.wait_for((await point.guest()).gone(), PATIENCE)

    play(scenario())


def test_few_processes_are_kept_when_a_burst_is_long_over() -> None:
    retired: list[int] = []

    class IdleWorker(Worker):
        def retire(self) -> None:
            retired.append(self.pid)

    def worker(pid: int, idle_since: float) -> Worker:
        unused: Any = None
        return IdleWorker(pid, unused, idle_since)

    burst = deque(worker(pid, idle_since=float("-inf")) for pid in range(32))
    pool = Pool(Limits(), asyncio.Semaphore(32), burst)
    pool.put_back(worker(32, idle_since=0.0))
    assert retired == list(range(33 - KEPT_IDLE))


def test_limits_are_those_that_chalice_deploys_when_nothing_is_configured(tmp_path: Path) -> None:
    assert read_limits(tmp_path / "config.json", "any") == Limits(DEFAULT_LAMBDA_TIMEOUT, None)


def test_function_runs_on_when_its_caller_stops_waiting(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host, meeting_point() as point:
            with pytest.raises(FunctionTimedOut):
                await host.invoke("meet", {"port": point.port}, 0.001)
            guest = await point.guest()
            await guest.let_go()

    play(scenario())


def test_invocations_wait_when_the_reserved_concurrency_is_used_up(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host, meeting_point() as point:
            five = [
                asyncio.create_task(host.invoke("meet", {"port": point.port}, PATIENCE)) for _ in range(5)
            ]
            present = [await point.guest() for _ in range(3)]  # all at once, for none is let go before
            for _ in range(2):
                assert point.arrived.empty()
                await present.pop().let_go()
                present.append(await point.guest())
            for guest in present:
                await guest.let_go()
            assert await asyncio.gather(*five) == ["go"] * 5

    play(scenario())


def test_every_place_is_used_when_more_is_asked_of_an_unreserved_function(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host, meeting_point() as point:
            event = {"port": point.port}
            asked = [
                asyncio.create_task(host.invoke("wait", event, PATIENCE)) for _ in range(MAX_CONCURRENCY + 1)
            ]
            present = [await point.guest() for _ in range(MAX_CONCURRENCY)]
            assert point.arrived.empty()
            for guest in present:
                await guest.let_go()
            await (await point.guest()).let_go()
            assert await asyncio.gather(*asked) == ["go"] * len(asked)

    play(scenario())


def test_event_comes_back_whole_when_it_is_large(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path) as host:
            seen: Any = await host.invoke("describe", "x" * 6_000_000, PATIENCE)
        assert len(seen["event"]) == 6_000_000

    play(scenario())


def test_functions_of_other_modules_run_when_they_are_added_by_name(tmp_path: Path) -> None:
    async def scenario() -> None:
        async with running(tmp_path, "double=added:double") as host:
            assert await host.invoke("double", 21, PATIENCE) == 42
            with pytest.raises(UnknownFunction):
                await host.invoke("triple", 21, PATIENCE)

    play(scenario())


def test_app_tells_its_functions_and_what_wakes_them_when_it_starts(tmp_path: Path) -> None:
    async def scenario() -> None:
        host = FunctionHost(APP, log=tmp_path / "functions.log")
        declared = await host.start({})
        await host.stop()
        each, batch = declared.queues
        assert each == QueueSource(
            function="each", queue="probe-each", batch_size=1, window_seconds=0, maximum_concurrency=None
        )
        assert (batch.batch_size, batch.window_seconds) == (20, 10)
        assert declared.schedules == (Schedule(function="tick", expression="rate(1 minute)"),)
        assert {"api_handler", "gate", "each", "batch", "tick", "describe"} <= set(declared.functions)
        assert isinstance(declared, Declared)

    play(scenario())


def test_reason_is_given_when_the_app_cannot_be_imported(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import no_such_module")

    async def scenario() -> None:
        host = FunctionHost(tmp_path, log=tmp_path / "functions.log")
        with pytest.raises(FunctionFailed, match="No module named 'no_such_module'"):
            await host.start({})
        await host.stop()

    play(scenario())


def test_nothing_is_left_when_a_start_that_hangs_is_stopped(tmp_path: Path) -> None:
    async def scenario() -> None:
        host = FunctionHost(APP_THAT_HANGS, log=tmp_path / "functions.log")
        async with meeting_point() as point:
            starting = asyncio.create_task(host.start({"PORT": str(point.port)}))
            guest = await point.guest()
            starting.cancel()
            await asyncio.wait_for(host.stop(), PATIENCE)
            await guest.gone()

    play(scenario())
    assert processes_writing_to(tmp_path) == []


HOST_THAT_IS_KILLED = """
import asyncio, sys
from pathlib import Path
from emulation.functions import FunctionHost

async def main():
    host = FunctionHost(Path(sys.argv[1]), log=Path(sys.argv[2]))
    await host.start({"PORT": sys.argv[3]})
    await host.invoke("meet", {"port": int(sys.argv[3])}, 60)

asyncio.run(main())
"""


@pytest.mark.parametrize(("app", "processes"), [(APP, 2), (APP_THAT_HANGS, 1)])
def test_no_process_is_left_when_the_stack_is_killed(tmp_path: Path, app: Path, processes: int) -> None:
    log = tmp_path / "functions.log"

    async def scenario() -> None:
        async with meeting_point() as point:
            command = [sys.executable, "-c", HOST_THAT_IS_KILLED, str(app), str(log), str(point.port)]
            stack = await asyncio.create_subprocess_exec(*command, cwd=REPOSITORY)
            guest = await point.guest()
            assert len(processes_writing_to(tmp_path)) == processes
            stack.kill()
            await stack.wait()
            await asyncio.wait_for(guest.gone(), PATIENCE)

    play(scenario())
    until(lambda: processes_writing_to(tmp_path) == [], within_seconds=5, what="all processes gone")
