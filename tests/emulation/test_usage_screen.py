"""The picture of the usage document: what a person sees on a screen of some size."""

import io
from typing import Any

from rich.console import Console

from emulation.usage_screen import picture

NOW = "2026-11-23T05:00:00Z"


def bucket(remaining: int, burst: int, *, method: str | None = None, full_at: str | None = None) -> Any:
    return {
        "layer": "method" if method else "plan",
        "api_id": "api" if method else None,
        "stage": "test" if method else None,
        "method": method,
        "rate_limit": 2.5,
        "burst_limit": burst,
        "remaining": remaining,
        "full_at": full_at,
    }


def key(name: str | None, remaining: int | None, *buckets: Any, enabled: bool = True) -> Any:
    quota = None
    if remaining is not None:
        quota = {"used": 0, "remaining": remaining, "resets_at": "2026-11-23T08:12:00Z"}
    return {"id": "key-id", "name": name, "enabled": enabled, "quota": quota, "buckets": list(buckets)}


def plan(name: str, *keys: Any, limit: int | None = 100) -> Any:
    quota = (
        {"limit": limit, "period": "DAY", "offset": 0, "resets_at": "2026-11-24T00:00:00Z"} if limit else None
    )
    throttle = {"rate_limit": 2.5, "burst_limit": 5}
    return {
        "id": "plan-id",
        "name": name,
        "throttle": throttle,
        "quota": quota,
        "stages": [],
        "keys": list(keys),
    }


def drawn(*plans: Any, lines: int = 40, cells: int = 100, stages: Any = ()) -> list[str]:
    account = {**bucket(10, 10), "layer": "account"}
    document = {"now": NOW, "account": account, "stages": list(stages), "plans": list(plans)}
    console = Console(file=io.StringIO(), width=cells)
    console.print(picture(document, lines=lines, cells=cells))
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def words(lines: list[str]) -> list[str]:
    return [" ".join(line.split()) for line in lines]


def test_each_limit_of_a_key_has_a_line_when_several_bind_it() -> None:
    buckets = (bucket(0, 2, method="/jobs/POST", full_at="2026-11-23T05:00:00.8Z"), bucket(3, 5))
    lines = words(drawn(plan("free", key("mine", 60, *buckets))))
    assert lines[-6:] == [
        "free 100 a day, until 2026-11-24 00:00 UTC · 2.5/s, burst 5",
        "mine quota ██████░░░░ 60 of 100 in 3 h 12 min",
        "test/jobs/POST 2.5/s ░░░░░░░░░░ 0 of 2 in 0.8 s",
        "plan 2.5/s ██████░░░░ 3 of 5",
        "",
        "",
    ]


def heads(lines: list[str]) -> list[str]:
    """The first word of each key's and each plan's first line."""
    return [line.split()[0] for line in lines[4:] if line and not line.startswith((" ", "Not"))]


def test_the_least_left_comes_first_when_keys_and_plans_are_many() -> None:
    plenty = plan("plenty", key("a", 90), key("b", 80))
    scarce = plan("scarce", key("c", 70), key("d", 1), key(None, 100, bucket(0, 5)))
    assert heads(drawn(plenty, scarce)) == ["scarce", "key-id", "d", "c", "plenty", "b", "a"]


def test_the_rest_is_counted_when_a_thousand_keys_do_not_fit() -> None:
    plans = [
        plan(f"plan{place}", *(key(f"key{place}-{left}", left, bucket(5, 5)) for left in range(20)))
        for place in range(50)
    ]
    lines = drawn(*plans, plan("empty"), lines=30)
    assert len(lines) < 30
    shown = [head for head in heads(lines) if head.startswith("key")]
    assert shown == [f"key{place}-0" for place in (0, 1, 10, 11, 12)]
    assert lines[-1] == "Not shown: keys with more left: 995, plans without keys: 1. --json tells all."


def test_the_buckets_with_least_left_are_told_when_stages_have_many() -> None:
    methods = [{**bucket(left, 10, method=f"/{left}/GET"), "layer": "stage"} for left in range(9, 0, -1)]
    lines = words(drawn(stages=[{"api_id": "api", "stage": "test", "buckets": methods}]))
    assert lines[3].startswith("all callers account 2.5/s")
    assert [line.split()[0] for line in lines[4:9]] == [f"test/{left}/GET" for left in range(1, 6)]
    assert lines[-1] == "There is no usage plan yet."


def test_everything_but_long_names_is_there_when_the_screen_is_narrow() -> None:
    long = key("x" * 60, 1_500, bucket(3, 5, method="/jobs/POST", full_at=NOW), enabled=False)
    lines = drawn(plan("free", long), cells=80)
    assert max(map(len, lines)) <= 80
    assert words(lines)[6].endswith("… quota ██████████ 1,500 of 100 in 3 h 12 min")


def test_a_key_says_so_when_it_is_disabled_or_nothing_limits_it() -> None:
    lines = words(drawn(plan("open", key("mine", None), key("off", None, enabled=False), limit=None)))
    assert lines[5:8] == ["open 2.5/s, burst 5", "mine no limit", "off, disabled no limit"]
