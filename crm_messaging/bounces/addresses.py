"""E-mail addresses as reports write them."""

import re
from urllib.parse import unquote

ADDRESS = re.compile(
    r"(?<![\w.+%=/-])((?:\"[^\"\s@]{1,64}\"|[\w.!#$&'*+/=?^`{|}~%-]{1,128})@"
    r"(?:[^\W_](?:[\w-]{0,62})\.)+[^\W\d_][\w-]{1,62})(?![\w@-])"
)
"""An address in running text. Broad at the left of the @, a domain with a dot at its right."""

_XTEXT = re.compile(r"\+([0-9A-F]{2})")


def addresses_in(text: str) -> list[str]:
    """Every address in `text` once, as first written, in order."""
    seen: dict[str, str] = {}
    for found in ADDRESS.findall(text):
        address = found.strip("'`").rstrip(".")
        seen.setdefault(address.lower(), address)
    return list(seen.values())


def address_of_field(value: str) -> str | None:
    """The address in `rfc822; asha@example.org` (RFC 3464, section 2.3.1).

    The type may be missing, the address may be in brackets, or in xtext (RFC 3461, section 4).
    A file or a program that mail was to be given to is no address.
    """
    kind, semicolon, rest = value.partition(";")
    text = (rest if semicolon else kind).strip()
    if text.startswith(("|", "/")):
        return None
    whole = ADDRESS.fullmatch(text.strip("<> "))
    if whole:
        return _without_xtext(whole[1])
    found = addresses_in(text)
    return found[0] if found else None


def _without_xtext(address: str) -> str:
    decoded = unquote(_XTEXT.sub(r"%\1", address)) if "+3D" in address or "+2B" in address else ""
    return decoded if ADDRESS.fullmatch(decoded) else address
