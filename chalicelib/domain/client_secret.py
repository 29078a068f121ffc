"""The form of a client's secret: `zjs_`, 43 characters of chance, and a checksum over them.

The prefix lets scanners of leaked secrets know one, and the checksum tells them and us a real one from a
mistyped one without asking anything. It protects nothing: whoever guesses can compute it too.
"""

import hashlib
import re
import zlib

PREFIX = "zjs_"
# 62 characters to the 43rd power are 256 bits, so a digest without salt or stretching cannot be searched.
RANDOM_CHARACTERS = 43
ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
# 62 to the 6th power is more than the 32 bits of a CRC.
_CHECKSUM_CHARACTERS = 6
PATTERN = re.compile(rf"{PREFIX}[0-9A-Za-z]{{{RANDOM_CHARACTERS + _CHECKSUM_CHARACTERS}}}")


def seal(chance: str) -> str:
    """The secret made of these random characters.

    >>> seal("a" * 43)
    'zjs_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa4SHDYg'
    """
    assert len(chance) == RANDOM_CHARACTERS, "fewer would be too few to be unpredictable"
    return f"{PREFIX}{chance}{_checksum(chance)}"


def is_well_formed(text: str) -> bool:
    """Whether the text can be a secret of ours: its form and its checksum are right.

    >>> secret = seal("a" * 43)
    >>> is_well_formed(secret), is_well_formed(secret.replace("a", "b", 1)), is_well_formed("hunter2")
    (True, False, False)
    """
    if PATTERN.fullmatch(text) is None:
        return False
    chance = text[len(PREFIX) : -_CHECKSUM_CHARACTERS]
    return text.endswith(_checksum(chance))


def digest(secret: str) -> str:
    """What is stored of a secret: its SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(chance: str) -> str:
    """The CRC-32 in base 62, six characters, as GitHub's tokens have it."""
    rest, characters = zlib.crc32(chance.encode()), ""
    for _ in range(_CHECKSUM_CHARACTERS):
        rest, number = divmod(rest, len(ALPHABET))
        characters = ALPHABET[number] + characters
    return characters
