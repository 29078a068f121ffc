"""What reading a JWT of a stranger's may raise."""

from joserfc.errors import JoseError

# joserfc lets the errors of a malformed `crit`, of claims of other types and of endless nesting through.
UNREADABLE = (
    JoseError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
    OverflowError,
)
