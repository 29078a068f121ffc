"""Usage counters, and the ids that they belong to, in one SQLite file that outlasts the stack.

Invariant: what `record`, `grant`, `adopt` or `forget` has returned from is there at the next start, however
this process ends, `kill -9` included: each is a transaction of its own that the kernel has before it returns.
No write waits for the disk, so the end of the machine itself (power, a crash of the kernel) may cost the last
requests, up to `CHECKPOINT_PAGES` of them, but never the file.

One stack at a time: SQLite's own lock is held from `opened` on, and the kernel lets it go with the process.
"""

import sqlite3
import threading
from collections import defaultdict
from collections.abc import Container, Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

from emulation.gateway.known_ids import Kind
from emulation.gateway.quota import DayUsage, History, Period, Window

FILE_NAME = "usage.sqlite"
# Together they say that the file is ours and how it is laid out; another layout gets another version.
APPLICATION_ID = int.from_bytes(b"usge")
VERSION = 1
# A transaction writes one page, so the smallest that holds a few rows is the fastest.
PAGE_BYTES = 1024
# The log is copied into the file, which does wait for the disk, once in so many requests: 10 ms in 10,000.
CHECKPOINT_PAGES = 10_000

_SCHEMA = f"""
BEGIN EXCLUSIVE;
CREATE TABLE usage (
    plan_id TEXT, key_id TEXT, day TEXT, used INTEGER, remaining INTEGER, PRIMARY KEY (plan_id, key_id, day)
) WITHOUT ROWID;
CREATE TABLE granted (
    plan_id TEXT, key_id TEXT, period TEXT, start TEXT, granted INTEGER,
    PRIMARY KEY (plan_id, key_id, period, start)
) WITHOUT ROWID;
CREATE TABLE ids (kind TEXT, name TEXT, id TEXT, UNIQUE (kind, name, id));
PRAGMA application_id = {APPLICATION_ID};
PRAGMA user_version = {VERSION};
COMMIT;
"""
_RECORD = """
INSERT INTO usage VALUES (?, ?, ?, ?, ?)
ON CONFLICT (plan_id, key_id, day) DO UPDATE SET used = excluded.used, remaining = excluded.remaining
"""  # half the time of a REPLACE


class UsageFileUnusable(Exception):
    """The file cannot be counted in, and was left as it is; the message says what to do."""


class UsageFile:
    """The counters' `UsageStore` and the control plane's `KnownIds`; safe to call from many threads."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._lock = threading.Lock()

    def histories(self) -> list[tuple[str, str, History]]:
        """Of each (plan id, key id) that has one."""
        found: defaultdict[tuple[str, str], History] = defaultdict(History)
        with self._lock:
            for plan_id, key_id, day, *usage in self._connection.execute("SELECT * FROM usage"):
                found[plan_id, key_id].days[date.fromisoformat(day)] = DayUsage(*usage)
            for plan_id, key_id, period, start, granted in self._connection.execute("SELECT * FROM granted"):
                window = Window(Period(period), date.fromisoformat(start))
                found[plan_id, key_id].granted[window] = granted
        return [(plan_id, key_id, history) for (plan_id, key_id), history in found.items()]

    def record(self, plan_id: str, key_id: str, day: date, usage: DayUsage) -> None:
        """Replaces what is known of the day."""
        self._write(_RECORD, plan_id, key_id, day.isoformat(), *usage)

    def grant(self, plan_id: str, key_id: str, window: Window, granted: int) -> None:
        """Replaces what was granted in the window."""
        period, start = window.period.value, window.start.isoformat()
        self._write("REPLACE INTO granted VALUES (?, ?, ?, ?, ?)", plan_id, key_id, period, start, granted)

    def adopt(self, kind: Kind, name: str, made: str, held: Container[str]) -> str:
        """See `KnownIds.adopt`."""
        oldest_first = "SELECT id FROM ids WHERE kind = ? AND name = ? ORDER BY rowid"
        with self._lock:
            known = self._connection.execute(oldest_first, (kind.value, name)).fetchall()
        adopted = next((each for (each,) in known if each not in held), made)
        self._write("INSERT OR IGNORE INTO ids VALUES (?, ?, ?)", kind.value, name, adopted)
        return adopted

    def forget(self, kind: Kind, resource_id: str) -> None:
        """See `KnownIds.forget`."""
        self._write("DELETE FROM ids WHERE kind = ? AND id = ?", kind.value, resource_id)

    def _write(self, statement: str, *values: str | int) -> None:
        with self._lock:
            self._connection.execute(statement, values)


@contextmanager
def opened(folder: Path) -> Iterator[UsageFile]:
    """The file in the folder, both made for their owner alone if they are not there.

    Raises UsageFileUnusable if another stack has it, or if it is none of ours.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FILE_NAME
    path.touch(mode=0o600)  # SQLite would let others read it
    # Without a transaction of its own making, Python leaves each statement to be one.
    connecting = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    with closing(connecting) as connection:
        try:
            _prepare(connection)
        except sqlite3.DatabaseError as error:
            raise UsageFileUnusable(_reason(path, error)) from error
        yield UsageFile(connection)


def _prepare(connection: sqlite3.Connection) -> None:
    """Changes nothing in a file that is none of ours."""
    connection.execute("PRAGMA locking_mode = EXCLUSIVE")
    if _value(connection, "SELECT count(*) FROM sqlite_master") == 0:
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.executescript(_SCHEMA)
    layout = _value(connection, "PRAGMA application_id"), _value(connection, "PRAGMA user_version")
    if layout != (APPLICATION_ID, VERSION):
        raise sqlite3.DatabaseError(f"it is not of version {VERSION}")
    damage = _value(connection, "PRAGMA quick_check(1)")
    if damage != "ok":
        raise sqlite3.DatabaseError(f"it is damaged, {damage}")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")


def _value(connection: sqlite3.Connection, query: str) -> object:
    (value,) = connection.execute(query).fetchone()
    return value


def _reason(path: Path, error: sqlite3.DatabaseError) -> str:
    if getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_BUSY:
        return f"another stack counts in {path}: stop it, or take another --usage-dir"
    fault = " ".join(str(error).split())
    return f"{path} is not used ({fault}): move it away to count from zero, or take another --usage-dir"
