"""What each ending is charged for, which DESIGN.md shows between `<!-- outcomes -->` and its end."""

from collections.abc import Mapping, Sequence

from chalicelib.domain.metering import Ending
from chalicelib.domain.prices import Meter


def outcomes_table(metered: Mapping[Ending, Sequence[Meter]]) -> str:
    """A row an ending, a column a meter."""
    rows = (
        f"| {ending} | {' | '.join('yes' if meter in metered[ending] else '' for meter in Meter)} |"
        for ending in Ending
    )
    header = f"| a job that is | {' | '.join(f'`{meter}`' for meter in Meter)} |"
    return "\n".join((header, "|---" * (1 + len(Meter)) + "|", *rows))
