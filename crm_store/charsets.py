"""Names of charsets as others give them: in a mail, an HTTP answer, an option."""

import codecs

_PYTHONS_OWN = frozenset(
    {
        *("idna", "mbcs", "oem", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"),
        *("base64", "bz2", "hex", "quopri", "rot-13", "uu", "zlib"),
    }
)
"""Codecs of the language that are no charset of any text; some fail in ways of their own."""


def charset_named(name: str | None) -> str | None:
    """What Python calls the charset of that name; None when there is no such charset."""
    try:
        known = codecs.lookup(name or "").name
    except (LookupError, ValueError):
        return None
    return None if known in _PYTHONS_OWN else known
