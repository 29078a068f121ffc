"""Who is admitted: the order of the checks, API keys, and throttles."""

from tests.gateway.specification.statements import Section, chosen, documented, inferred, observed

ORDER = Section(
    "The order of checks",
    (
        chosen(
            "order.size-first",
            "A body beyond the payload limit is refused before its path is matched.",
            where="pipeline.PAYLOAD_LIMIT_BYTES",
        ),
        observed("order.route-first", "An unknown path or a wrong verb is refused before the authorizer."),
        observed("order.authorizer-before-key", "The authorizer's refusal comes before the API key's."),
        observed("order.key-before-limits", "The API key's refusal comes before every throttle and quota."),
        chosen(
            "order.throttle-before-quota",
            "A request over a throttle and over its quota is told of the throttle.",
            where="usage.DENIAL_ORDER",
        ),
        inferred("order.limits-before-validation", "Throttle and quota refuse before validation does."),
        inferred("order.parameters-before-body", "Required parameters are validated before the body."),
        inferred(
            "order.validation-before-media-type", "Validation comes before the media type is looked at."
        ),
        inferred(
            "order.media-type-before-integration", "The media type is refused before the integration fails."
        ),
    ),
)

KEYS = Section(
    "API keys",
    (
        observed(
            "keys.missing", "A method that requires a key answers 403 Forbidden to a request without one."
        ),
        observed("keys.unknown", "An unknown key is answered 403 Forbidden."),
        observed("keys.disabled", "A disabled key is answered 403 Forbidden."),
        observed("keys.in-no-plan", "A key in no usage plan is answered 403 Forbidden."),
        observed("keys.plan-without-stage", "A key whose plans lack this stage is answered 403 Forbidden."),
        observed("keys.enabled-live", "A key disabled or enabled again is so at once, without a deployment."),
        observed("keys.attached-live", "A key or a stage attached to or detached from a plan is so at once."),
        observed("keys.deleted-live", "A deleted key is unknown at once."),
        observed(
            "keys.requirement-deployed",
            "`apiKeyRequired` changed on a method holds on a stage from the next deployment to that stage.",
        ),
        observed("keys.legacy-stage-keys", "`stageKeys` on a key admit nothing without a usage plan."),
        observed(
            "keys.optional-metered",
            "Where no key is required, one that is in a plan of the stage is metered: 429 over its quota.",
        ),
        observed("keys.optional-disabled", "It is metered even if it is disabled."),
        observed(
            "keys.optional-unknown",
            "Where no key is required, an unknown one passes, and the event's identity has `apiKey` alone.",
        ),
        observed(
            "keys.optional-unassigned",
            "A known one without a plan passes, and the identity has `apiKey` and `apiKeyId`.",
        ),
        observed("keys.optional-absent", "No key passes, and the identity has neither field."),
        documented("keys.source-header", "With `apiKeySource` HEADER the authorizer's key does not count."),
        observed(
            "keys.source-authorizer",
            "With `apiKeySource` AUTHORIZER the `usageIdentifierKey` counts and `x-api-key` does not.",
        ),
        observed("keys.authorizer-names-none", "An authorizer that names no key leads to 403 Forbidden."),
        observed("keys.authorizer-names-unknown", "One that names an unknown key leads to 403 Forbidden."),
        observed("keys.authorizer-names-disabled", "One that names a disabled key leads to 403 Forbidden."),
        observed(
            "keys.source-authorizer-without-one",
            "With `apiKeySource` AUTHORIZER a key-required method without an authorizer answers 403 to all.",
        ),
        observed(
            "keys.cached-until-ttl", "A cached authorizer result keeps its usage key until its TTL ends."
        ),
        observed("keys.cached-until-flush", "A cached authorizer result keeps its usage key until a flush."),
        documented("keys.several-plans", "A key may be in ten usage plans, and is metered in each apart."),
        chosen(
            "keys.eleventh-plan",
            "The eleventh plan of a key is refused with 409 ConflictException.",
            where="plan_rules.PLANS_PER_KEY",
        ),
        documented("keys.one-plan-a-stage", "A key has one usage plan a stage: another one is refused."),
    ),
)

THROTTLE = Section(
    "Throttles",
    (
        documented("throttle.burst", "`burstLimit` is the bucket's size: so many requests at once, no more."),
        documented("throttle.rate", "`rateLimit` is the steady refill a second, never beyond the burst."),
        documented("throttle.token", "An admitted request takes one token, a refused one none."),
        documented("throttle.every-layer", "Method of the plan, plan, stage, account: the strictest binds."),
        observed(
            "throttle.looser-method",
            "A looser limit on one method does not escape the plan's own: both apply.",
        ),
        documented(
            "throttle.per-key", "A plan's buckets belong to each key, one plan's apart from another's."
        ),
        documented("throttle.shared-by-stages", "The plan's bucket of a key is shared by the plan's stages."),
        observed("throttle.stage-zero", "A stage's throttle of 0/0 refuses everything with 429."),
        documented("throttle.stage-method", "A stage's settings for one method replace those for `*/*`."),
        chosen(
            "throttle.stage-every-method",
            "A stage's `*/*` throttle is a bucket a method, shared by all callers.",
            where="usage.layers",
        ),
        chosen(
            "throttle.plan-zero",
            "A plan's rate or burst of 0 admits nothing.",
            where="view_compiler.PLAN_LIMIT_OF_ZERO",
        ),
        chosen(
            "throttle.only-burst",
            "A throttle with only a burst refills at the account's rate.",
            where="view_compiler.ACCOUNT_RATE_LIMIT",
        ),
        chosen(
            "throttle.only-rate",
            "A throttle with only a rate has the account's burst.",
            where="view_compiler.ACCOUNT_BURST_LIMIT",
        ),
        chosen(
            "throttle.denial-spends-nothing",
            "A request that one layer refuses, or the quota, spends no token of any other.",
            where="usage.Ledger.admit",
        ),
        inferred("throttle.no-quota", "A throttled request consumes no quota."),
        observed("throttle.plan-edited-live", "An edited limit of a plan holds at once."),
        observed(
            "throttle.method-edited-live", "A limit of a plan on one method, set or removed, is so at once."
        ),
        observed("throttle.stage-edited-live", "An edited throttle of a stage holds at once."),
        chosen(
            "throttle.largest-limit",
            "Limits reach from 0 to 2³¹-1; anything else is refused with 400.",
            where="plan_rules.LARGEST_LIMIT",
        ),
        chosen(
            "throttle.clock-back",
            "A clock that steps back refills nothing; one that goes further back starts from there.",
            where="token_bucket.STEP_BACK_SECONDS",
        ),
    ),
)
