"""The trivial function behind the Lambda-proxy routes of `bench_gateway`."""

from typing import Any


def handler(event: dict[str, Any], context: object) -> dict[str, Any]:
    """Answers every event alike."""
    return {"statusCode": 200, "body": "hello"}
