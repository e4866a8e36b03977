"""Reading a stored message: what a reader is given, and the ways in which it may not succeed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, TypeAlias

from sqlalchemy import Connection

from crm_messaging.feedback import Feedback
from crm_store.errors import SamparkError
from crm_store.inbox import Taken

if TYPE_CHECKING:
    from flows.engine import Engine


PAUSES = (
    timedelta(minutes=1),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=6),
)
"""After the first try that came too early, the second, and so on; then it has failed."""
MOST_ATTEMPTS = len(PAUSES) + 1


@dataclass(frozen=True)
class Reading:
    """One transaction of the inbox, open while a reader works."""

    connection: Connection
    engine: "Engine"
    now: datetime


class Unreadable(SamparkError):
    """The message can never be used. Its reason holds nothing personal: it is kept and logged."""


class NotYet(Exception):
    """The message cannot be used at this moment; it is tried again later.

    `reason` says why, without anything personal. Without `after` the pauses grow.
    """

    def __init__(self, reason: str, after: timedelta | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.after = after


Apply: TypeAlias = Callable[[Reading, Taken], "NotYet | None"]
"""Writes down what a message says, in the open transaction. It may meet a message twice.

A `NotYet` that it raises undoes what it has written; one that it returns keeps it, and the message
comes again for the rest.
"""
Ask: TypeAlias = Callable[["Engine", Taken], Awaitable[Taken]]
"""Asks the world what the message does not say itself, outside of any transaction; returns the
message with what it was told, for `apply` to read."""


Facts: TypeAlias = Callable[[Taken], Sequence[Feedback]]
"""What a message says about messages that have left, where it says no more. Raises `Unreadable`."""


@dataclass(frozen=True)
class Reader:
    """Who reads the messages of one source."""

    apply: Apply
    ask: Ask | None = None
    facts: Facts | None = None
    """With it the messages of a batch are applied together, at a fraction of the cost; one by one
    by `apply` where that does not succeed."""
