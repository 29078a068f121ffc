"""Long polls on the edge keep nobody waiting: no other request, and no stop."""

import asyncio
import json
from typing import Any

import httpx

from emulation.clock import ManualClock
from emulation.edge import THREADS, Edge
from tests.conformance.long_polls import SOON_SECONDS, Waiters


async def call(http: httpx.AsyncClient, action: str, **body: object) -> httpx.Response:
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20261123/us-east-1/sqs/aws4_request, Signature=0",
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": f"AmazonSQS.{action}",
    }
    return await http.post("/", headers=headers, content=json.dumps(body))


def test_others_are_answered_and_a_stop_ends_all_when_many_long_polls_wait() -> None:
    async def scenario() -> None:
        edge = Edge(clock=ManualClock(1_795_000_000.0))
        port = await edge.start()
        client = httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", timeout=30, trust_env=False, verify=False
        )
        async with client as http:
            queue_url = (await call(http, "CreateQueue", QueueName="polled")).json()["QueueUrl"]
            waiters = Waiters(queue_url, expected=THREADS, looks_again=True)
            poll: dict[str, Any] = {"QueueUrl": queue_url, "WaitTimeSeconds": 20}
            polls = [asyncio.create_task(call(http, "ReceiveMessage", **poll)) for _ in range(THREADS)]
            await asyncio.to_thread(waiters.all_wait)
            listed = await asyncio.wait_for(call(http, "ListQueues"), SOON_SECONDS)
            assert queue_url in listed.json()["QueueUrls"]
            await edge.stop()
            answers = await asyncio.gather(*polls)
            assert [(answer.status_code, answer.json()) for answer in answers] == [(200, {})] * THREADS

    asyncio.run(scenario())
