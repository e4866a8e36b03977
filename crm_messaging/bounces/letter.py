"""A mail as it lies in a mailbox."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Letter:
    """A mail, and what it is called where it lies."""

    name: str
    raw: bytes
    """Its first `MAX_READ` bytes."""
