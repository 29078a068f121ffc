"""Where tax would come in: which country's, at which rate and rounded how is a question for an accountant."""

from collections.abc import Callable

Tax = Callable[[int], int]
"""The tax, in micro-units, on so many of an invoice; of an adjustment, it is the difference."""


def no_tax(_subtotal_micros: int) -> int:
    """The tax of this release: none, on every invoice, and each says so.

    >>> no_tax(49_000_000)
    0
    """
    return 0
