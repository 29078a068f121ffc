"""Moving bars on a terminal, plain lines elsewhere."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import BinaryIO

from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn, TimeElapsedColumn

from client.cli.screen import Screen
from client.documents import Job

BAR_WIDTH = 30


@contextmanager
def job_bars(screen: Screen, job_ids: Iterable[str]) -> Iterator[Callable[[Job], None]]:
    """Lends a function that shows how far each of the jobs is."""
    if not screen.console.is_terminal:
        yield _Lines(screen).show
        return
    with _progress(screen, TextColumn("{task.percentage:>3.0f}% {task.fields[status]}")) as progress:
        tasks = {job_id: progress.add_task(job_id, total=None, status="") for job_id in job_ids}

        def show(job: Job) -> None:
            done, total = (job.progress.completed, job.progress.total) if job.progress else (0, None)
            progress.update(tasks[job.id], total=total, completed=done, status=_state(job))
            if job.is_terminal:
                progress.stop_task(tasks[job.id])

        yield show


@contextmanager
def sending(screen: Screen, file: BinaryIO, size_bytes: int) -> Iterator[BinaryIO]:
    """The file, shown as it is read: once for its hash, then to be sent."""
    if not screen.console.is_terminal:
        screen.note(f"uploading {size_bytes:,} bytes")
        yield file
        return
    with _progress(screen, DownloadColumn()) as progress:
        yield progress.wrap_file(file, total=size_bytes, description="uploading")


def received(screen: Screen, chunks: Iterable[bytes], size_bytes: int) -> Iterator[bytes]:
    """The chunks, shown as they come."""
    if not screen.console.is_terminal:
        yield from chunks
        return
    with _progress(screen, DownloadColumn()) as progress:
        task = progress.add_task("downloading", total=size_bytes)
        for chunk in chunks:
            progress.advance(task, len(chunk))
            yield chunk


def _progress(screen: Screen, how_far: ProgressColumn) -> Progress:
    columns = (TextColumn("{task.description}"), BarColumn(BAR_WIDTH), how_far, TimeElapsedColumn())
    # What goes to the same terminal has to go around the bars; what is piped must not go there.
    return Progress(*columns, console=screen.console, redirect_stdout=sys.stdout.isatty())


class _Lines:
    """A line for every change of a job."""

    def __init__(self, screen: Screen) -> None:
        self._screen = screen
        self._shown: dict[str, str] = {}

    def show(self, job: Job) -> None:
        """Says what is new of the job, if anything is."""
        share = f"{job.progress.completed / job.progress.total:.0%}" if job.progress else ""
        line = " ".join(f"{job.id} {_state(job)} {share}".split())
        if self._shown.get(job.id) != line:
            self._shown[job.id] = line
            self._screen.note(line)


def _state(job: Job) -> str:
    """Its status, and how far its confirmation is."""
    found = job.confirmation
    if found is None or job.is_terminal:
        return job.status.value
    depth = f", {found.depth} deep" if found.depth else ""
    return f"{job.status.value} ({found.state}{depth})"
