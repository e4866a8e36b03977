"""Text from outside, as every database keeps it and every reader sees it."""

import re
from hashlib import sha256

_ODD = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]")


def storable(text: str) -> str:
    """The text with U+FFFD for what must not be in it.

    That is NUL and halves of characters, which no database keeps; other control characters but
    tabs and line ends, which a terminal would obey; and the marks that turn the direction of what
    follows: a name could make the words behind it read as others.
    """
    return _ODD.sub("\ufffd", text)


def short(name: str, most: int) -> str:
    """The name, or where it has more than `most` characters a digest: cut off, two might be one."""
    return name if len(name) <= most else sha256(name.encode("utf-8", "replace")).hexdigest()[:most]
