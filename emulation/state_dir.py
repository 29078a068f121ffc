"""The folder of one stack: a lock that only one holds, the logs, and `stack.json` while it is ready."""

import fcntl
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class AlreadyRunning(Exception):
    """Another stack holds this state dir."""


class NotRunning(Exception):
    """There is no stack in the folder; the message says so, and how to start one."""

    def __init__(self, state_dir: Path) -> None:
        super().__init__(f"no stack runs in {state_dir}: start one with `make up`")


@contextmanager
def claimed(state_dir: Path) -> Iterator[None]:
    """Holds the folder for this process alone; raises AlreadyRunning if another one does.

    The kernel lets the lock go with the process, however that ends, so none is ever left behind.
    """
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state_dir / "stack.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise AlreadyRunning(f"a stack already runs in {state_dir} (process {lock.read()})") from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        description_path(state_dir).unlink(missing_ok=True)  # of a stack that was killed
        yield


@contextmanager
def published(state_dir: Path, description: Mapping[str, Any]) -> Iterator[None]:
    """`stack.json` is there, whole and for its owner alone, as long as this lasts."""
    path = description_path(state_dir)
    draft = path.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600, exist_ok=False)  # before there is a secret in it
    draft.write_text(json.dumps(description, indent=2))
    draft.rename(path)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def read_description(state_dir: Path) -> dict[str, Any]:
    """What `stack.json` says; raises NotRunning if there is none."""
    try:
        described: dict[str, Any] = json.loads(description_path(state_dir).read_text())
    except FileNotFoundError:
        raise NotRunning(state_dir) from None
    return described


def description_path(state_dir: Path) -> Path:
    return state_dir / "stack.json"
