"""What a person sees of the demo: colours and moving bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.panel import Panel
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.table import Table

from emulation.clock import monotonic

if TYPE_CHECKING:  # they take a third of a second, which only the demo itself shall pay
    from client.documents import ApiProblem, Job

PLAIN_WIDTH = 100
"""Holds a hash with its label in one line of a log."""

LABEL_WIDTH = 16


class CheckFailed(Exception):
    """Something that the demo claims is not so; the message says what."""


class Screen:
    """Tells the chapters, and counts the checks that held."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or _console()
        self._began = monotonic()
        self._chapters: list[str] = []
        self._checks = 0

    def title(self, text: str, subtitle: str) -> None:
        self._console.print(Panel(f"[bold]{text}[/]\n{subtitle}", box=box.ROUNDED, border_style="cyan"))

    def chapter(self, title: str) -> None:
        self._chapters.append(title)
        self._console.print(f"\n[bold cyan]{len(self._chapters)}  {escape(title)}[/]")

    def busy(self, text: str) -> AbstractContextManager[object]:
        """Shows that something goes on, where there is someone to watch."""
        return self._console.status(text) if self._console.is_terminal else nullcontext()

    def fact(self, label: str, value: object) -> None:
        self._console.print(
            f"   [dim]{escape(label):<{LABEL_WIDTH}}[/]{escape(str(value))}", highlight=False, soft_wrap=True
        )

    def note(self, text: str) -> None:
        self._console.print(f"   {escape(text)}", highlight=False)

    def check(self, claim: str, found: object, expected: object = True) -> None:
        """Raises CheckFailed unless both are equal."""
        if found != expected:
            raise CheckFailed(f"{claim} (found {found}, expected {expected})")
        self._checks += 1
        self._console.print(f"   [green]✓[/] {escape(claim)}", highlight=False, soft_wrap=True)

    def problem(self, problem: "ApiProblem") -> None:
        """A refusal as the service words it."""
        rows = Table.grid(padding=(0, 2))
        rows.add_row("[dim]code[/]", escape(problem.code))
        rows.add_row("[dim]detail[/]", escape(problem.detail))
        for error in problem.errors:
            rows.add_row(f"[yellow]{escape(error.pointer)}[/]", escape(error.detail))
        after = f", after {problem.retry_after} s" if problem.retry_after else ""
        rows.add_row("[dim]retryable[/]", f"yes{after}" if problem.retryable else "no")
        rows.add_row("[dim]request[/]", escape(problem.request_id or ""))
        title = f"[yellow]{problem.status} {escape(problem.title)}[/]"
        panel = Panel(rows, title=title, title_align="left", box=box.ROUNDED, expand=False)
        self._console.print(_indented(panel))

    def table(self, *heads: str, rows: list[tuple[str, ...]]) -> None:
        table = Table(*heads, box=box.SIMPLE_HEAD, pad_edge=False, header_style="dim")
        for row in rows:
            table.add_row(*map(escape, row))
        self._console.print(_indented(table))

    @contextmanager
    def bars(self, labels: Mapping[str, str]) -> Iterator[Callable[["Job"], None]]:
        """Lends a function that shows how far each of the jobs is; `labels` names them by their ids."""
        if not self._console.is_terminal:
            yield _Lines(self.note, labels).show
            return
        columns = (TextColumn("   {task.description:<13}"), BarColumn(30), TaskProgressColumn())
        status = TextColumn("{task.fields[status]:<11}{task.fields[finality]:<14}")
        with Progress(*columns, status, TimeElapsedColumn(), console=self._console) as progress:
            tasks = {
                job_id: progress.add_task(label, total=None, status="", finality="")
                for job_id, label in labels.items()
            }

            def show(job: "Job") -> None:
                total, done = (job.progress.total, job.progress.completed) if job.progress else (None, 0)
                task = tasks[job.id]
                progress.update(
                    task, total=total, completed=done, status=job.status.value, finality=_finality(job)
                )
                if job.is_terminal:
                    progress.stop_task(task)

            yield show

    def closed(self) -> None:
        """The last words after a whole demo."""
        lines = [f"[bold green]All {self._checks} checks held[/] in {monotonic() - self._began:.0f} seconds."]
        lines += [f"[green]✓[/] {escape(title)}" for title in self._chapters]
        lines += ["", "Everything is stopped. [bold]make up[/] starts a stack that stays."]
        self._console.print()
        self._console.print(Panel("\n".join(lines), box=box.ROUNDED, border_style="green"))

    def failed(self, reason: str, *, logs: Path) -> None:
        """The last words after a demo that did not get to its end."""
        where = f"in “{self._chapters[-1]}”" if self._chapters else "before it began"
        self._console.print(f"\n[red]✗ The demo failed {escape(where)}.[/]", highlight=False)
        self._console.print(f"  {escape(reason)}", highlight=False, soft_wrap=True)
        self._console.print(
            f"  Everything is stopped; the logs are in {logs}", highlight=False, soft_wrap=True
        )


class _Lines:
    """A line for every change of a job, for who reads afterwards."""

    def __init__(self, write: Callable[[str], None], labels: Mapping[str, str]) -> None:
        self._write = write
        self._labels = labels
        self._shown: dict[str, str] = {}

    def show(self, job: "Job") -> None:
        share = f"{job.progress.completed / job.progress.total:>5.0%}" if job.progress else ""
        label = f"{self._labels[job.id]:<{LABEL_WIDTH - 1}}"
        line = f"{label} {job.status.value:<11}{share}  {_finality(job)}".rstrip()
        if self._shown.get(job.id) != line:
            self._shown[job.id] = line
            self._write(line)


def _finality(job: "Job") -> str:
    """How far its confirmation is."""
    found = job.confirmation
    if found is None:
        return ""
    return f"{found.state}, {found.depth} deep" if found.depth else found.state


def _console() -> Console:
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def _indented(renderable: Panel | Table) -> Padding:
    return Padding(renderable, (0, 0, 0, 3), expand=False)
