"""JSON-RPC 2.0 over HTTP, many calls a request.

Invariant: whatever the other side does, what is returned has the form of an answer to exactly these calls,
has a bounded size and came in a bounded time; all else is `ChainUnavailable`. Its message names no URL, where
a provider's key may stand, and repeats nothing that the node said; nor does it carry a cause that might.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, TypeAdapter, ValidationError

from chalicelib.adapters.bounded_http import BoundedHttp, NoAnswer, TooLarge
from chalicelib.domain import tracing
from chalicelib.domain.errors import ChainUnavailable

# The slowest call, a batch's estimate, takes 0.1 s; a node that has not said all after this long hangs.
TIMEOUT_SECONDS = 5.0
# A receipt of 98 jobs has 60 kB, and sixteen, the most that are asked for at once, have 1 MB.
ANSWER_BYTES = 4 * 2**20
# Of what a node says of an error: enough for a log line.
MESSAGE_CHARACTERS = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """One call."""

    method: str
    params: tuple[JsonValue, ...] = ()


class _Error(BaseModel):
    model_config = ConfigDict(strict=True)

    code: Annotated[int, Field(ge=-(2**31), lt=2**31)]
    message: str
    data: Any = None


class _Answer(BaseModel):
    """§5: it has a result, which may be null, or an error."""

    model_config = ConfigDict(strict=True)

    jsonrpc: Literal["2.0"]
    id: int
    result: Any = None
    error: _Error | None = None

    @property
    def is_one_of_both(self) -> bool:
        return ("result" in self.model_fields_set) is (self.error is None)


_ANSWERS = TypeAdapter(list[_Answer])


class NodeRefused(ChainUnavailable):
    """The node answers a call with an error; `said` and `data` are its words, and not to be believed."""

    def __init__(self, method: str, error: _Error) -> None:
        super().__init__(f"The node refuses {method} with error {error.code}.")
        self.rpc_code = error.code
        self.said = error.message[:MESSAGE_CHARACTERS]
        self.data: JsonValue = error.data


class AnswerTooLarge(ChainUnavailable):
    """What the node answers is more than is read; to a smaller question it may have a smaller answer."""


class JsonRpc:
    """The node at `url`. Nothing is tried twice: whoever waits has a time limit, and comes back by itself."""

    def __init__(self, url: str) -> None:
        self._http = BoundedHttp(url, timeout_seconds=TIMEOUT_SECONDS, answer_bytes=ANSWER_BYTES)

    def ask(self, asks: Sequence[Ask]) -> list[JsonValue | NodeRefused]:
        """What the node says to each call, in the order of the calls."""
        calls = [
            {"jsonrpc": "2.0", "id": number, "method": ask.method, "params": ask.params}
            for number, ask in enumerate(asks)
        ]
        try:
            body = self._http.post(
                json.dumps(calls).encode(), {"Content-Type": "application/json", **_trace()}
            )
        except NoAnswer as error:
            kind = AnswerTooLarge if isinstance(error, TooLarge) else ChainUnavailable
            raise kind(f"The node does not answer as it should: {error}.") from error
        answers = _answers(body, len(asks))
        return [
            NodeRefused(ask.method, answer.error) if answer.error else answer.result
            for ask, answer in zip(asks, answers, strict=True)
        ]


def _answers(body: bytes, number: int) -> list[_Answer]:
    """By id, for a node may answer in any order (§6): each call once, and nothing else."""
    try:
        # It bounds the nesting at 200.
        answers = sorted(_ANSWERS.validate_json(body), key=lambda answer: answer.id)
    except ValidationError:
        raise ChainUnavailable("The node does not answer in JSON-RPC 2.0.") from None
    if [answer.id for answer in answers] != list(range(number)):
        raise ChainUnavailable("The node answers other calls than it was asked.")
    if not all(answer.is_one_of_both for answer in answers):
        raise ChainUnavailable("The node answers with neither a result nor an error, or with both.")
    return answers


def _trace() -> dict[str, str]:
    """Whose call it is: of a batch of jobs, the first one's, for a header names one trace."""
    trace_ids = tracing.followed()
    return {"traceparent": tracing.traceparent(trace_ids[0], step="chain")} if trace_ids else {}
