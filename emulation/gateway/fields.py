"""What may stand in the head of a response: nothing else is HTTP, or would stay one header.

And what an integration's headers become on their way out, and which media types an API calls binary.
"""

import re
from collections.abc import Iterable, Iterator

_STATUSES = range(200, 600)  # one in the hundreds announces another response, it does not answer
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
REMAPPED = "x-amzn-Remapped-"
# As the developer guide's important notes and captured answers have it. Content-Length is renamed because the
# edge writes the true one, and the request id because the gateway has its own.
_REMAPPED = frozenset(
    [
        *("authorization", "connection", "content-length", "content-md5", "date", "max-forwards", "server"),
        *("user-agent", "www-authenticate", "x-amzn-requestid"),
    ]
)
_DROPPED = frozenset(
    ["expect", "host", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "via"]
)
# What says where a message ends: the edge writes it, and a second one could end it elsewhere.
_FRAMING = frozenset(["connection", "content-length", "trailer", "transfer-encoding", "upgrade"])
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")


def status_of(code: str | int) -> int:
    """The status that a number, perhaps in a text, stands for, or ValueError."""
    if int(code) not in _STATUSES:
        raise ValueError(f"{code} is not the status of a response")
    return int(code)


def is_header(name: str, value: str) -> bool:
    """Whether the name is a token, and the value has no control characters but tabs (RFC 9110, 5.1 and 5.5).

    >>> is_header("X-Fine", "a\\tb"), is_header("X Bad", ""), is_header("X-Bad", "a\\r\\nSet-Cookie: b")
    (True, False, False)
    """
    return _NAME.fullmatch(name) is not None and _CONTROLS.search(value) is None


def may_be_added(name: str, value: str) -> bool:
    """Whether an API's author may add the header to an answer: one that leaves its framing alone.

    >>> may_be_added("X-Fine", "a"), may_be_added("Transfer-Encoding", "chunked")
    (True, False)
    """
    return is_header(name, value) and name.lower() not in _FRAMING


def passed_on(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """An integration's headers as the client gets them: some renamed, some dropped.

    >>> list(passed_on([("Server", "x"), ("Via", "y"), ("ETag", "z")]))
    [('x-amzn-Remapped-Server', 'x'), ('ETag', 'z')]
    """
    for name, value in headers:
        lower = name.lower()
        if lower not in _DROPPED:
            yield (f"{REMAPPED}{name}" if lower in _REMAPPED else name), value


def is_binary(media_type: str, binary: frozenset[str]) -> bool:
    """Whether the media type is one of the API's binary ones, which may end in a wildcard.

    >>> is_binary("image/png", frozenset(["image/*"])), is_binary("image/*", frozenset(["image/png"]))
    (True, False)
    """
    if not binary:
        return False
    kind, slash, _ = media_type.partition("/")
    return "*/*" in binary or media_type in binary or f"{kind}{slash}*" in binary
