"""A node is told which trace each request is part of."""

from chalicelib.domain import tracing
from tests.chain.conftest import Bench
from tests.chain.servers import listening

TRACES = tracing.new_trace_id("first"), tracing.new_trace_id("second")


def test_the_first_jobs_trace_is_told_when_a_batch_is_broadcast(bench: Bench) -> None:
    signed = bench.sign(bench.entries(2))
    with listening(bench.rpc_url) as (url, heard):
        chain = bench.at(url)
        with tracing.story(*TRACES):
            chain.broadcast(signed.raw)
        with tracing.story(TRACES[1]):
            chain.sightings([signed.hash])
    told = {method: tracing.parse(each.traceparent or "") for each in heard for method in each.methods}
    assert told["eth_sendRawTransaction"] == TRACES[0]
    assert told["eth_getTransactionReceipt"] == TRACES[1]


def test_no_trace_is_told_when_none_is_followed(bench: Bench) -> None:
    with listening(bench.rpc_url) as (url, heard):
        bench.at(url).survey(bench.signer, final_depth=1)
    assert [each.traceparent for each in heard] == [None, None]
