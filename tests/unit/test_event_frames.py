"""What two processes say to each other arrives as it was said, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.adapters.event_frames import HEADER, EventReader, InvalidFrame, frame
from chalicelib.domain.job import Progress
from chalicelib.ports.sandbox import (
    Began,
    Bound,
    Broke,
    Ended,
    Event,
    Exceeded,
    Hindered,
    Refused,
    Stepped,
    Stopped,
)

LIMIT_BYTES = 200
numbers = st.integers(0, 2**64 - 1)
progress = st.tuples(numbers, numbers.filter(bool)).map(lambda pair: Progress(min(pair), max(pair)))
contents = st.binary(max_size=LIMIT_BYTES)
details = st.text(st.characters(codec="utf-8"), max_size=LIMIT_BYTES // 4)
events = st.one_of(
    st.builds(Began, numbers),
    st.builds(Stepped, progress, st.none() | contents),
    st.builds(Stopped),
    st.builds(Ended, contents),
    st.builds(Refused, details),
    st.builds(Exceeded, st.sampled_from(Bound)),
    st.builds(Broke, details),
    st.builds(Hindered, details),
)


@given(said=st.lists(events, max_size=5), cuts=st.lists(st.integers(1, 40), min_size=1))
def test_events_arrive_as_they_were_said_when_they_come_in_pieces(said: list[Event], cuts: list[int]) -> None:
    stream = b"".join(part for event in said for part in frame(event))
    reader, heard, at = EventReader(content_bytes=LIMIT_BYTES), [], 0
    while at < len(stream):
        length = cuts[at % len(cuts)]
        reader.feed(stream[at : at + length])
        at += length
        while (event := reader.take()) is not None:
            heard.append(event)
    assert heard == said


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        pytest.param(HEADER.pack(b"?", 0, 0, 0), "a message of kind b'?'", id="of no kind"),
        pytest.param(HEADER.pack(b"e", 0, 0, 201), "a message of 201 bytes", id="too long"),
        pytest.param(HEADER.pack(b"e", 0, 0, 2**64 - 1), "bytes", id="longer than all memory"),
        pytest.param(HEADER.pack(b"x", 0, 0, 3) + b"sun", "that no b'x' has", id="of no bound"),
        pytest.param(HEADER.pack(b"s", 0, 0, 0), "of kind b's'", id="of no steps"),
        pytest.param(HEADER.pack(b"c", 4, 3, 0), "of kind b'c'", id="of a step beyond the last"),
        pytest.param(HEADER.pack(b"r", 0, 0, 1) + b"\xff", "that no b'r' has", id="not UTF-8"),
    ],
)
def test_a_message_is_refused_when_no_run_can_have_said_it(stream: bytes, reason: str) -> None:
    reader = EventReader(content_bytes=LIMIT_BYTES)
    reader.feed(stream)
    with pytest.raises(InvalidFrame) as refused:
        reader.take()
    assert reason in str(refused.value)
