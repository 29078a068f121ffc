"""A small app for the emulation's own tests: a function for each way to end, and one for each trigger."""

import os
import socket
import sys
from typing import Any

from chalice import Chalice, Rate

app = Chalice("probe")
invocations = 0
connections: list[socket.socket] = []


@app.route("/hello/{name}")
def hello(name: str) -> dict[str, str]:
    return {"hello": name}


@app.authorizer()
def gate(request: Any) -> dict[str, str]:
    return {"principalId": request.token}


@app.lambda_function()
def describe(event: Any, context: Any) -> dict[str, Any]:
    global invocations
    invocations += 1
    return {
        "event": event,
        "pid": os.getpid(),
        "invocations": invocations,
        "function": context.function_name,
        "arn": context.invoked_function_arn,
        "remaining_ms": context.get_remaining_time_in_millis(),
        "greeting": os.environ.get("GREETING"),
        "profile": os.environ.get("AWS_PROFILE"),
    }


@app.lambda_function()
def fail(event: dict[str, str], context: Any) -> None:
    raise LookupError(event["message"])


@app.lambda_function()
def crash(event: Any, context: Any) -> None:
    os._exit(3)


@app.lambda_function()
def unserializable(event: Any, context: Any) -> object:
    return object()


@app.lambda_function()
def nest(event: Any, context: Any) -> list[Any]:
    """Returns what can be written as JSON and not be read; the test hears when the process is no more."""
    connections.append(socket.create_connection(("127.0.0.1", event["port"])))
    connections[-1].sendall(b"here\n")
    sys.setrecursionlimit(20_000)
    nested: list[Any] = []
    for _ in range(5_000):
        nested = [nested]
    return nested


@app.lambda_function()
def hang(event: Any, context: Any) -> None:
    """Never returns, for the test does not answer."""
    report(event["port"], str(os.getpid()))


@app.lambda_function()
def meet(event: Any, context: Any) -> str:
    """Returns when the other side of the port says so."""
    return report(event["port"], "here")


@app.lambda_function()
def wait(event: Any, context: Any) -> str:
    """As `meet`, with as many at once as there are places."""
    return report(event["port"], "here")


@app.on_sqs_message(queue="probe-each", batch_size=1)
def each(event: Any) -> None:
    for record in event:
        print(record.body)


@app.on_sqs_message(queue="probe-batch", batch_size=20, maximum_batching_window_in_seconds=10)
def batch(event: Any) -> None:
    print([record.body for record in event])


@app.schedule(Rate(1, unit=Rate.MINUTES))
def tick(event: Any) -> None:
    print("tick")


def report(port: int, line: str) -> str:
    """Sends a line to the test, and waits for its answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(line.encode() + b"\n")
        return connection.makefile().readline().strip()
