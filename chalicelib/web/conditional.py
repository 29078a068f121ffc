"""Conditional reads (RFC 9110 §13.1.2): pure, and sure to send the whole answer when in doubt."""

import re
from collections.abc import Collection, Sequence

# entity-tag and its list (§8.8.3, §5.6.1): a comma may stand inside a tag, and empty elements are allowed.
_OPAQUE = r'"[^\x00-\x20"\x7f]*"'
_LIST = re.compile(rf"[ \t,]*(?:(?:W/)?{_OPAQUE}[ \t]*(?:,[ \t,]*|\Z))+")
_EACH = re.compile(_OPAQUE)
ANY = "*"


def entity_tags(if_none_match: Sequence[str]) -> Collection[str]:
    """The entity tags that the header lists, without their weakness; `*` for whatever there is.

    None of a header that is not as the RFC writes it: it is ignored as a whole.

    >>> entity_tags(['"a", W/"b"']), entity_tags(["*"]), entity_tags(["a"])
    (['"a"', '"b"'], ['*'], [])
    """
    header = ",".join(if_none_match).strip(" \t")
    if header == ANY:
        return [ANY]
    return _EACH.findall(header) if _LIST.fullmatch(header) else []


def is_known(etag: str, known: Collection[str]) -> bool:
    """Whether the client has what our strong entity tag names, by weak comparison (§8.8.3.2)."""
    return ANY in known or etag in known
