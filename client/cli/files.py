"""Writing what was fetched or made."""

import os
from collections.abc import Iterable
from pathlib import Path

from client.cli.settings import Misuse


def write_whole(output: Path, chunks: Iterable[bytes]) -> None:
    """The file has all of the bytes, or is as it was."""
    draft = output.with_name(f".{output.name}.{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.writelines(chunks)
        draft.replace(output)
    except OSError as error:
        raise Misuse(f"{output} cannot be written: {error.strerror}.") from error
    finally:
        draft.unlink(missing_ok=True)
