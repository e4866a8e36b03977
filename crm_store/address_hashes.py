"""Addresses as keyed hashes: whoever has the key recognises one, and nobody reads one back."""

from functools import lru_cache
from hashlib import blake2b

from crm_store.keys import KeyRing

HASH_SIZE = 10
"""Octets: among ten million addresses two alike are not to be expected (one chance in 10^10)."""
_LATEST = 8_000
"""Hashes kept: the gate, a message's links and its commit ask for that of the same address, and
some batches are on their way at a time."""


class AddressHashes:
    """Hashes of (channel, normalised address), BLAKE2b keyed (RFC 7693 section 2.9)."""

    def __init__(self, keys: KeyRing) -> None:
        self._hashers = [blake2b(key=one, digest_size=HASH_SIZE) for one in keys.derived("address")]
        self._kept = lru_cache(_LATEST)(self._made)

    def of(self, channel: str, address: str) -> bytes:
        """The hash under which an address is kept from now on."""
        return self._kept(channel, address)[0]

    def all_of(self, channel: str, address: str) -> tuple[bytes, ...]:
        """Every hash under which it may have been kept, with earlier keys too; the newest first."""
        return self._kept(channel, address)

    def _made(self, channel: str, address: str) -> tuple[bytes, ...]:
        hashes = []
        for one in self._hashers:
            hasher = one.copy()
            hasher.update(f"{channel}:{address}".encode())
            hashes.append(hasher.digest())
        return tuple(hashes)


@lru_cache(maxsize=8)
def hashes_with(keys: KeyRing) -> AddressHashes:
    """The hashes of a key ring, made ready once."""
    return AddressHashes(keys)
