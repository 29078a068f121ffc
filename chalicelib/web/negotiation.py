"""Which representation a client would rather have (RFC 9110 §12.5.1): pure, and never a reason to refuse.

A range that is not as the RFC writes it is not there. `charset` is all that we could be asked of a media
type, and there is one; a range with any other parameter is of none of ours.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

# Up to the next separator that is not inside a quoted string; one without an end takes the rest.
_QUOTED = r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)'
_ELEMENT = re.compile(rf'(?:[^,"]|{_QUOTED})+')
_PART = re.compile(rf'(?:[^;"]|{_QUOTED})+')
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_RANGE = re.compile(rf"({_TOKEN})/({_TOKEN})")
_WEIGHT = re.compile(r"0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?")


@dataclass(frozen=True, slots=True)
class _Range:
    kind: str
    subtype: str
    thousandths: int

    def closeness(self, media_type: str) -> int:
        """How precisely it names the media type: 3 by its name, 1 as any; 0 if it does not."""
        kind, _, subtype = media_type.partition("/")
        if self.kind == self.subtype == "*":
            return 1
        if self.kind != kind:
            return 0
        return 3 if self.subtype == subtype else 2 if self.subtype == "*" else 0


def preferred(accept: Sequence[str], offered: Sequence[str]) -> str:
    """The offered media type of the highest weight, the first of equals; the first too if none is wanted.

    >>> offered = "application/json", "text/html"
    >>> [preferred([accept], offered) for accept in ("text/html", "text/*, */*;q=0.4", "text/html, */*")]
    ['text/html', 'text/html', 'application/json']
    """
    ranges = list(_ranges(",".join(accept)))
    return max(offered, key=lambda media_type: _weight(media_type, ranges))


def _weight(media_type: str, ranges: Sequence[_Range]) -> int:
    """In thousandths; of the ranges that name it most precisely, the highest."""
    named = [(each.closeness(media_type), each.thousandths) for each in ranges]
    return max((each for each in named if each[0]), default=(0, 0))[1]


def _ranges(header: str) -> Iterator[_Range]:
    for element in _ELEMENT.findall(header):
        said, *parameters = [part.strip(" \t") for part in _PART.findall(element)] or [""]
        named = _RANGE.fullmatch(said)
        values = {name.lower(): value for name, _, value in (each.partition("=") for each in parameters)}
        weight = values.pop("q", "1")
        if named and _WEIGHT.fullmatch(weight) and values.keys() <= {"", "charset"}:
            whole, _, decimals = weight.partition(".")
            yield _Range(named[1].lower(), named[2].lower(), int(f"{whole}{decimals:0<3}"))
