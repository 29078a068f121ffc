"""A job's input as it is given on the command line: small enough for a submit, or a file to be uploaded."""

import io
import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, BinaryIO, NoReturn

from client.cli.settings import Misuse

# The API takes bodies of 192 KiB; what a submit has beside its input takes less than the rest.
INLINE_BYTES = 190 * 1024
UPLOAD_BYTES = 100 * 1024 * 1024  # the API's limit


@dataclass(frozen=True, slots=True)
class Inline:
    """An input that a submit can carry."""

    value: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Uploaded:
    """An input that the service has already."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class Large:
    """An input to be uploaded first: an open file, at its beginning. Its JSON is the service's to judge."""

    file: BinaryIO
    size_bytes: int


Input = Inline | Uploaded | Large


@contextmanager
def opened_input(given: str | None, upload: Path | None, uploaded: str | None) -> Iterator[Input]:
    """The one input of the three that is there; `Misuse` if it cannot be one."""
    if sum(each is not None for each in (given, upload, uploaded)) != 1:
        raise Misuse("Give the job's input by exactly one of --input, --upload and --uploaded.")
    if uploaded is not None:
        yield Uploaded(uploaded)
        return
    if upload is not None:
        with _opened_path(upload) as file:
            yield _large(file)
        return
    with _opened_text(given or "") as file:
        yield _inline_if_small(file)


@contextmanager
def _opened_text(given: str) -> Iterator[BinaryIO]:
    """JSON itself, a file by its name after an @, or what comes by a pipe."""
    if given == "-":
        with TemporaryFile() as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
            file.seek(0)
            yield file
    elif given.startswith("@"):
        with _opened_path(Path(given[1:])) as file:
            yield file
    else:
        yield io.BytesIO(given.encode(errors="surrogateescape"))


@contextmanager
def _opened_path(path: Path) -> Iterator[BinaryIO]:
    try:
        file = path.open("rb")
    except OSError as error:
        raise Misuse(f"{path} cannot be read: {error.strerror}.") from error
    with file:
        if not file.seekable():
            raise Misuse(f"{path} is no regular file: pipe it into the command, with --input -.")
        yield file


def _inline_if_small(file: BinaryIO) -> Inline | Large:
    text = file.read(INLINE_BYTES + 1)
    if len(text) <= INLINE_BYTES:
        value = parsed(text)
        if len(_compact(value)) <= INLINE_BYTES:
            return Inline(value)
    return _large(file)


def _large(file: BinaryIO) -> Large:
    size_bytes = file.seek(0, io.SEEK_END)
    file.seek(0)
    if not 0 < size_bytes <= UPLOAD_BYTES:
        raise Misuse(f"The input has {size_bytes:,} bytes; an upload has between 1 and {UPLOAD_BYTES:,}.")
    return Large(file, size_bytes)


def parsed(text: bytes) -> Mapping[str, Any]:
    """The JSON object; `Misuse` says where the text is none.

    >>> parsed(b'{"n": 1}')
    {'n': 1}
    """
    try:
        value = json.loads(text, parse_constant=_refuse)
        _compact(value)
    except json.JSONDecodeError as error:
        raise Misuse(
            f"The input is no JSON: {error.msg} (line {error.lineno}, column {error.colno}). "
            "Give an object such as '{\"n\": 1}', @FILE for a file, or - for stdin."
        ) from error
    except (ValueError, RecursionError) as error:
        raise Misuse("The input is no JSON in UTF-8 that the API takes.") from error
    if not isinstance(value, dict):
        raise Misuse("The input has to be a JSON object.")
    return value


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _compact(value: object) -> bytes:
    """As the client sends it."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
