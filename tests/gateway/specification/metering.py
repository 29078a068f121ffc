"""What is counted: quotas, GetUsage and UpdateUsage."""

from tests.gateway.specification.statements import Section, chosen, documented, inferred, observed

QUOTA = Section(
    "Quotas",
    (
        documented("quota.per-key", "A quota is each key's own: `limit` requests in a `period`."),
        documented("quota.shared-by-stages", "A key's quota is shared by the plan's stages."),
        observed("quota.day", "A DAY starts at 00:00 UTC."),
        observed("quota.month", "A MONTH starts on the 1st, at 00:00 UTC."),
        chosen("quota.week", "A WEEK starts on Sunday, at 00:00 UTC.", where="quota.WEEK_STARTS_ON"),
        chosen(
            "quota.offset",
            "An offset is the number of days by which the period starts later.",
            where="quota.window_start",
        ),
        documented(
            "quota.offset-range",
            "An offset is 0 for DAY, to 6 for WEEK, to 27 for MONTH; another is refused with 400.",
        ),
        observed(
            "quota.refused-not-counted", "A refused request is not counted: 200, 429, 429 leave [1, 0]."
        ),
        observed("quota.unknown-path-not-counted", "A request for an unknown path is not counted."),
        inferred(
            "quota.authorizer-denial-not-counted", "A request that the authorizer denies is not counted."
        ),
        observed("quota.backend-error-counted", "A request that the backend fails is counted."),
        inferred("quota.invalid-counted", "A request that validation refuses is counted."),
        observed("quota.none-requires-key", "A plan without throttle and quota still requires the key."),
        observed("quota.none-meters-nothing", "A plan without throttle and quota limits and counts nothing."),
        observed("quota.removed-live", "A quota removed from a plan restores access at once."),
        observed("quota.edited-live", "An edited limit of a quota holds at once."),
        chosen(
            "quota.edited-counts",
            "A quota edited, or removed and set again, still counts the days already counted.",
            where="quota.current",
        ),
        chosen(
            "quota.clock-back",
            "Each calendar window counts its own, in whatever order the clock visits them.",
            where="quota.current",
        ),
    ),
)

USAGE = Section(
    "GetUsage and UpdateUsage",
    (
        documented("usage.dates-required", "`startDate` and `endDate` are required."),
        chosen(
            "usage.range",
            "At most 366 days are told at once.",
            where="live_operations.LONGEST_RANGE_DAYS",
        ),
        chosen(
            "usage.first-day",
            "No day before 1970 is told.",
            where="live_operations.FIRST_DAY",
        ),
        chosen(
            "usage.last-day",
            "No day after 2999 is told.",
            where="live_operations.LAST_DAY",
        ),
        documented("usage.page-default", "A page has 25 keys unless `limit` says otherwise."),
        documented("usage.page-largest", "A page has at most 500 keys."),
        documented("usage.position", "`position` leads to the next page, and the last page has none."),
        documented("usage.one-key", "`keyId` asks for one key alone."),
        observed(
            "usage.body",
            "The body has `usagePlanId`, `startDate`, `endDate` and `values`, which SDKs call `items`.",
        ),
        observed("usage.pairs", "A key has a pair a day: used that day, and remaining in the period."),
        observed(
            "usage.before-quota", "Without a quota counters read zero, and that traffic is never counted."
        ),
        documented("usage.update", "UpdateUsage sets what remains in the current period, and only in that."),
        documented("usage.update-above-limit", "It sets more than the limit, too."),
        chosen(
            "usage.immediate",
            "The counters are exact and immediate, where the real ones lag and are best effort.",
            where="usage.Ledger.admit",
        ),
        chosen(
            "usage.key-that-left",
            "A key that left the plan, or was deleted, is told on the days it was counted.",
            where="counters.Counters.counted",
        ),
    ),
)
