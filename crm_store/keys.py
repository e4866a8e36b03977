"""The installation's secret key, and what is derived from it: one key for each purpose.

What must not be readable in the store (addresses that are suppressed) or forgeable outside
(links in messages) hangs on this key. A purpose never sees the key of another.
"""

from collections.abc import Sequence
from functools import cached_property
from hashlib import blake2b

from crm_store.errors import EnvironmentUnready

VARIABLE = "SAMPARK_SECRET_KEY"
EARLIER_VARIABLE = f"{VARIABLE}_PREVIOUS"
HOW_TO_MAKE_ONE = (
    f"Put {VARIABLE}= into .env, with what this prints behind it:"
    ' python3 -c "import secrets; print(secrets.token_urlsafe(32))"'
)
MIN_LENGTH = 32
"""Characters: what `secrets.token_urlsafe(24)` makes, and more than anybody guesses."""


class NoSecretKey(EnvironmentUnready):
    """Something needs the secret key, and there is none."""

    def __init__(self) -> None:
        super().__init__(f"{VARIABLE} is not set.", HOW_TO_MAKE_ONE)


class KeyRing:
    """The secret key, and those that the installation had before it, newest first.

    New things are made with the first key; what was made with the others still holds.
    """

    def __init__(self, key: str, earlier: Sequence[str] = ()) -> None:
        self._masters = [blake2b(one.encode(), digest_size=32).digest() for one in (key, *earlier)]

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self.fingerprints)})"

    def derived(self, purpose: str) -> tuple[bytes, ...]:
        """32 bytes for a purpose (ASCII, at most 16 letters), of each key."""
        person = purpose.encode("ascii")
        return tuple(
            blake2b(digest_size=32, key=master, person=person).digest() for master in self._masters
        )

    @cached_property
    def fingerprints(self) -> tuple[str, ...]:
        """A name for each key that tells nothing about it: 12 hexadecimal digits."""
        return tuple(derived[:6].hex() for derived in self.derived("fingerprint"))
