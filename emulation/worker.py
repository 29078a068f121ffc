"""The far side of `functions`: a process that imports the app once and forks a worker for each execution.

Run as `python -m emulation.worker DESCRIPTOR [NAME=MODULE:HANDLER]...` in the project's folder. It stays
single-threaded, for only then is a fork safe. Neither it nor a worker outlives the stack, however that
ends: the end of file on the control socket ends it, and the kernel ends a worker whose parent is gone.
"""

import gc
import importlib
import json
import marshal
import os
import signal
import socket
import struct
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Never

from emulation import added, clock
from emulation.added import AddedFunction, InvalidFunction
from emulation.parents import ending_by_ourselves, ending_with_us

LENGTH = struct.Struct(">I")
"""A message is its length, then its content. What a worker says is JSON, for a function's result must be;
what it is told is marshalled, in a sixth of the time, as the same interpreter reads it."""

_CHUNK_BYTES = 64 * 1024

ACCOUNT = "123456789012"
REGION = "us-east-1"

Handler = Callable[[Any, "LambdaContext"], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueSource:
    """A queue whose messages wake a function. `maximum_concurrency` is None where the app leaves it open."""

    function: str
    queue: str
    batch_size: int
    window_seconds: int
    maximum_concurrency: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A function that runs again and again, as its expression says: `rate(1 minute)`."""

    function: str
    expression: str


@dataclass(frozen=True, slots=True)
class Declared:
    """What the app says of itself: its functions and what wakes them."""

    functions: tuple[str, ...]
    queues: tuple[QueueSource, ...]
    schedules: tuple[Schedule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LambdaContext:
    """What a function is told of its invocation, in the names of Lambda's Python runtime."""

    function_name: str
    aws_request_id: str
    deadline: float  # on the monotonic clock, which all processes of a machine share
    memory_limit_in_mb: int = 128
    function_version: str = "$LATEST"
    identity: None = None
    client_context: None = None

    @property
    def invoked_function_arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.function_name}"

    @property
    def log_group_name(self) -> str:
        return f"/aws/lambda/{self.function_name}"

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self.deadline - clock.monotonic()) * 1000))


def send(channel: socket.socket, message: bytes) -> None:
    channel.sendall(LENGTH.pack(len(message)) + message)


def receive(channel: socket.socket) -> bytes | None:
    """The next message, or None once the other side is gone; no more is sent before it is answered."""
    received = bytearray(channel.recv(_CHUNK_BYTES))
    while (missing := _missing(received)) > 0:
        chunk = channel.recv(max(missing, _CHUNK_BYTES))
        if not chunk:
            return None
        received += chunk
    return bytes(received[LENGTH.size :])


def _missing(received: bytearray) -> int:
    if len(received) < LENGTH.size:
        return LENGTH.size - len(received)
    return int(LENGTH.unpack_from(received)[0]) + LENGTH.size - len(received)


def load(given: Sequence[AddedFunction]) -> tuple[dict[str, Handler], Declared]:
    """Imports the project's Chalice app, if it has one, and the functions that are added to it."""
    handlers: dict[str, Handler] = {}
    queues: tuple[QueueSource, ...] = ()
    schedules: tuple[Schedule, ...] = ()
    if Path("app.py").exists():
        app = importlib.import_module("app").app
        queues, schedules = _queues(app), _schedules(app)
        handlers["api_handler"] = app
        named = [*app.event_sources, *app.builtin_auth_handlers, *app.pure_lambda_functions]
        handlers.update({each.name: app.handler_map[each.name] for each in named})
    for each in given:
        if each.name in handlers:
            raise InvalidFunction(each.written, "the app has a function of that name, so choose another")
        handlers[each.name] = each.load()
    return handlers, Declared(tuple(handlers), queues, schedules)


def _queues(app: Any) -> tuple[QueueSource, ...]:
    return tuple(
        QueueSource(
            function=each.name,
            queue=each.queue or each.queue_arn.rpartition(":")[2],
            batch_size=each.batch_size,
            window_seconds=each.maximum_batching_window_in_seconds,
            maximum_concurrency=each.maximum_concurrency,
        )
        for each in app.event_sources
        if type(each).__name__ == "SQSEventConfig"
    )


def _schedules(app: Any) -> tuple[Schedule, ...]:
    return tuple(
        Schedule(function=each.name, expression=_expression(each.schedule_expression))
        for each in app.event_sources
        if type(each).__name__ == "ScheduledEventConfig"
    )


def _expression(expression: Any) -> str:
    return expression if isinstance(expression, str) else str(expression.to_string())


def fork_on_demand(control: socket.socket, handlers: Mapping[str, Handler]) -> Never:
    """Forks a worker for each socket that the stack sends, until the stack is gone."""
    gc.freeze()  # the collector would otherwise touch, and so copy, every page that the workers share
    end_with_us = ending_with_us(signal.SIGKILL)
    children: set[int] = set()
    while (channel := _next_channel(control)) is not None:
        # Reaped here and nowhere else, so that a number in `children` is never another process's.
        children = {child for child in children if os.waitpid(child, os.WNOHANG)[0] == 0}
        if (child := os.fork()) == 0:
            control.close()
            _work(channel, handlers, end_with_us)
        channel.close()
        children.add(child)
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    os.killpg(0, signal.SIGKILL)  # what the functions started themselves
    raise AssertionError("unreachable")


def _next_channel(control: socket.socket) -> socket.socket | None:
    _, descriptors, _, _ = socket.recv_fds(control, 1, 1)
    return socket.socket(fileno=descriptors[0]) if descriptors else None


def _work(
    channel: socket.socket, handlers: Mapping[str, Handler], end_with_parent: Callable[[], None] | None
) -> Never:
    """Runs one invocation after the other until the stack closes the channel; then the process ends."""
    code = 1
    try:
        if end_with_parent:
            end_with_parent()
        send(channel, json.dumps({"pid": os.getpid()}).encode())
        while (request := receive(channel)) is not None:
            send(channel, _answer(marshal.loads(request), handlers))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _answer(request: dict[str, Any], handlers: Mapping[str, Handler]) -> bytes:
    name = request["function"]
    os.environ["AWS_LAMBDA_FUNCTION_NAME"] = name
    context = LambdaContext(
        function_name=name, aws_request_id=request["request_id"], deadline=request["deadline"]
    )
    try:
        return json.dumps({"result": handlers[name](request["event"], context)}).encode()
    except Exception as error:  # outermost: whatever a function raises is its answer, as in Lambda
        traceback.print_exc()
        return json.dumps({"error_type": type(error).__name__, "message": str(error)}).encode()


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    try:
        handlers, declared = load(added.parse(sys.argv[2:]))
    except (Exception, SystemExit) as error:
        traceback.print_exc()
        send(control, json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        sys.exit(1)
    send(control, json.dumps(asdict(declared)).encode())
    ending_by_ourselves()  # at the end of file, which no import sees, and with all that the functions started
    fork_on_demand(control, handlers)


if __name__ == "__main__":
    main()
