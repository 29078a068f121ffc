"""The file that usage is kept in: what it gives back, to whom it belongs, and what it does not touch."""

import sqlite3
import stat
from datetime import date
from pathlib import Path

import pytest

from emulation.gateway.known_ids import Kind
from emulation.gateway.quota import DayUsage, History, Period, Window
from emulation.gateway.usage_store import APPLICATION_ID, FILE_NAME, UsageFileUnusable, opened

MONDAY, TUESDAY = date(2026, 11, 23), date(2026, 11, 24)
NOVEMBER = Window(Period.MONTH, date(2026, 11, 1))


def test_counters_are_found_when_the_file_is_opened_again(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        file.record("plan", "key", MONDAY, DayUsage(1, 9))
        file.record("plan", "key", MONDAY, DayUsage(2, 8))
        file.record("plan", "key", TUESDAY, DayUsage(1, 7))
        file.record("plan", "other", MONDAY, DayUsage(5, 0))
        file.grant("plan", "key", NOVEMBER, 100)
        file.grant("plan", "key", NOVEMBER, -3)
    with opened(tmp_path) as file:
        found = {(plan_id, key_id): history for plan_id, key_id, history in file.histories()}
    assert found == {
        ("plan", "key"): History({MONDAY: DayUsage(2, 8), TUESDAY: DayUsage(1, 7)}, {NOVEMBER: -3}),
        ("plan", "other"): History({MONDAY: DayUsage(5, 0)}),
    }


def test_ids_come_back_in_the_order_of_creation_when_names_are_alike(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        assert [file.adopt(Kind.PLAN, "free", made, held=()) for made in ("first", "second")] == [
            "first",
            "first",
        ]
        assert file.adopt(Kind.PLAN, "free", "second", held={"first"}) == "second"
    with opened(tmp_path) as file:
        assert file.adopt(Kind.PLAN, "free", "third", held=()) == "first"
        assert file.adopt(Kind.PLAN, "free", "fourth", held={"first"}) == "second"
        assert file.adopt(Kind.PLAN, "free", "fifth", held={"first", "second"}) == "fifth"
        assert file.adopt(Kind.PLAN, "pro", "sixth", held=()) == "sixth"
        assert file.adopt(Kind.KEY, "free", "seventh", held=()) == "seventh"


def test_id_is_new_when_the_one_of_that_name_was_deleted(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        file.adopt(Kind.PLAN, "free", "first", held=())
        file.forget(Kind.PLAN, "first")
    with opened(tmp_path) as file:
        assert file.adopt(Kind.PLAN, "free", "second", held=()) == "second"


def test_folder_and_file_are_their_owners_alone_when_they_are_made(tmp_path: Path) -> None:
    folder = tmp_path / "made" / "usage"
    with opened(folder) as file:
        file.record("plan", "key", MONDAY, DayUsage(1, 9))
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert {stat.S_IMODE(each.stat().st_mode) for each in folder.iterdir()} == {0o600}


def rows(count: int) -> bytes:
    return b"\xff" * count


@pytest.mark.parametrize(
    "content",
    [b"not a database, but a text of more than a hundred bytes" * 4, b"SQLite format 3\0" + rows(1_000)],
    ids=["text", "damaged header"],
)
def test_file_is_left_as_it_is_when_it_is_no_database(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with (
        pytest.raises(UsageFileUnusable, match=r"^[^\n]+ move it away to count from zero[^\n]+$"),
        opened(tmp_path),
    ):
        pass
    assert (tmp_path / FILE_NAME).read_bytes() == content


@pytest.mark.parametrize(("application_id", "version"), [(APPLICATION_ID, 2), (0, 1), (0, 0)])
def test_file_is_left_as_it_is_when_it_is_of_another_version_or_program(
    tmp_path: Path, application_id: int, version: int
) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME) as theirs:
        theirs.execute("CREATE TABLE theirs (value)")
        theirs.execute(f"PRAGMA application_id = {application_id}")
        theirs.execute(f"PRAGMA user_version = {version}")
    theirs.close()
    content = (tmp_path / FILE_NAME).read_bytes()
    with pytest.raises(UsageFileUnusable, match="it is not of version 1"), opened(tmp_path):
        pass
    assert (tmp_path / FILE_NAME).read_bytes() == content
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]


def test_file_is_left_as_it_is_when_a_page_is_damaged(tmp_path: Path) -> None:
    with opened(tmp_path) as file:
        for number in range(1_000):
            file.record("plan", f"key {number}", MONDAY, DayUsage(1, 9))
    content = bytearray((tmp_path / FILE_NAME).read_bytes())
    content[20_000:30_000] = rows(10_000)
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(UsageFileUnusable, match="move it away"), opened(tmp_path):
        pass
    assert (tmp_path / FILE_NAME).read_bytes() == content
