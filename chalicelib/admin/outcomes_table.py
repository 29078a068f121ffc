"""What each outcome is charged for, which DESIGN.md shows between `<!-- outcomes -->` and its end."""

from collections.abc import Mapping, Sequence

from chalicelib.domain.metering import Outcome
from chalicelib.domain.prices import Meter


def outcomes_table(metered: Mapping[Outcome, Sequence[Meter]]) -> str:
    """A row an outcome, a column a meter."""
    rows = (
        f"| {outcome} | {' | '.join('yes' if meter in metered[outcome] else '' for meter in Meter)} |"
        for outcome in Outcome
    )
    header = f"| a job that is | {' | '.join(f'`{meter}`' for meter in Meter)} |"
    return "\n".join((header, "|---" * (1 + len(Meter)) + "|", *rows))
