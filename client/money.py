"""Money as the API has it, in millionths of a currency's unit, for people."""

MICROS = 1_000_000


def money(micros: int) -> str:
    """Exact at any size, with two decimals or as many as it needs.

    >>> [money(micros) for micros in (0, 49_000_000, -1_234_500_100)]
    ['0.00', '49.00', '-1,234.5001']
    """
    whole, rest = divmod(abs(micros), MICROS)
    return f"{'-' if micros < 0 else ''}{whole:,}.{f'{rest:06}'.rstrip('0').ljust(2, '0')}"
