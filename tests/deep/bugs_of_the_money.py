"""Bugs in what is counted, and in what it costs."""

from tests.deep.bug import Bug

BUGS_OF_THE_MONEY = (
    Bug(
        "a charge has the price of its own day",
        "chalicelib/domain/metering.py",
        "price_version=price_version_of(job, prices)",
        "price_version=prices.in_force(job.entered[status]).name",
        "tests/unit/test_outcomes.py",
    ),
    Bug(
        "a compact confirmation is charged as a direct one",
        "chalicelib/domain/metering.py",
        "due += [(CONFIRMED[job.path], Status.SUCCEEDED)]",
        "due += [(Meter.JOB_CONFIRMED, Status.SUCCEEDED)]",
        "tests/unit/test_outcomes.py",
    ),
    Bug(
        "one more than the limit is admitted",
        "chalicelib/adapters/dynamodb_admission.py",
        '{name}_left": limit - number',
        '{name}_left": limit',
        "tests/conformance/test_entitlements.py",
    ),
    Bug(
        "what could be spent is never given back",
        "chalicelib/use_cases/metered_change.py",
        "released_micros(before, after, prices))",
        "0 * released_micros(before, after, prices))",
        "tests/unit/test_spend.py",
    ),
    Bug(
        "a job gives back to the month in which it ends",
        "chalicelib/adapters/dynamodb_jobs.py",
        "admitted#{period_of(job.created_at)}",
        "admitted#{period_of(job.entered[job.status])}",
        "tests/conformance/test_entitlements.py",
    ),
    Bug(
        "an upload's work is not reserved",
        "chalicelib/domain/spend.py",
        "most_units if job.cost_units is None else job.cost_units",
        "job.cost_units or 0",
        "tests/unit/test_spend.py",
    ),
    Bug(
        "every version and plan includes its units anew",
        "chalicelib/domain/invoice.py",
        "        counted[group.meter] += quantity\n",
        "",
        "tests/unit/test_adjustments.py",
    ),
    Bug(
        "what comes twice is billed twice",
        "chalicelib/domain/tally.py",
        "for event in _once(events):",
        "for event in events:",
        "tests/unit/test_tally.py",
    ),
    Bug(
        "a month ends a moment later",
        "chalicelib/domain/tally.py",
        "first <= event.time < end",
        "first <= event.time <= end",
        "tests/unit/test_tally.py",
    ),
    Bug(
        "what is late waits for an adjustment",
        "chalicelib/domain/month.py",
        "return cls(event_time=month.end, ingestion_time=month.end + GRACE)",
        "return cls(event_time=month.end, ingestion_time=month.end)",
        "tests/unit/test_adjustments.py",
    ),
    Bug(
        "an adjustment forgets the one before",
        "chalicelib/domain/invoice.py",
        "for each in issued for line in each.lines",
        "for each in issued[:1] for line in each.lines",
        "tests/unit/test_adjustments.py",
    ),
    Bug(
        "an invoice is issued again",
        "chalicelib/adapters/dynamodb_usage.py",
        'put_if_absent(INVOICES, row, key="tenant_id")',
        '{"Put": {**put_if_absent(INVOICES, row, key="tenant_id")["Put"], "ConditionExpression": "NOT '
        'attribute_exists(#key) OR attribute_exists(#key)"}}',
        "tests/conformance/test_invoices.py",
    ),
    Bug(
        "anyone's word is billed",
        "chalicelib/use_cases/take_in_usage.py",
        "        if known[event.event_id] != event:\n",
        "        if not known:\n",
        "tests/unit/test_take_in_usage.py",
    ),
    Bug(
        "an event that nobody's job bears out is overlooked",
        "chalicelib/use_cases/reconciliation/events.py",
        "if days.get(event.event_id) != event.time.date():",
        "if event.event_id in days and days[event.event_id] != event.time.date():",
        "tests/unit/test_reconcile_losses.py",
    ),
)
