"""The gate: whether a touchpoint may leave now, later, or never, and why.

Pure: it is given what is known and answers. The order of the questions is the order of
importance, so that the recorded reason is the one that matters most.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from crm_store.models.touchpoint import State
from crm_store.reasons import Reason


@dataclass(frozen=True)
class Cap:
    """At most `limit` messages to one person in any span of `per`."""

    limit: int
    per: timedelta
    postpone: bool
    """Past the limit: wait until there is room, instead of leaving the message out."""


class Situation(NamedTuple):
    """What is known of a touchpoint and its customer at the moment of asking."""

    address: str | None
    opted_out: bool
    suppressed: bool
    exited: bool
    agreed: bool
    """Or nobody asks for her agreement."""
    expires_at: datetime
    closed_until: tuple[datetime, Reason] | None = None
    """When messages may reach her again, if not now, and what keeps them."""
    recently_sent: Sequence[datetime] = ()
    """When messages left for her within the cap's span, oldest first."""


@dataclass(frozen=True)
class Allowed:
    """It may leave now."""


@dataclass(frozen=True)
class Postponed:
    """It waits until a moment at which it is still useful."""

    until: datetime
    reason: Reason


@dataclass(frozen=True)
class Stopped:
    """It will never leave."""

    state: State
    reason: Reason


Decision = Allowed | Postponed | Stopped


def decide(situation: Situation, cap: Cap | None, now: datetime) -> Decision:
    """Ask every question of a touchpoint, the gravest first."""
    if situation.exited:
        return Stopped(State.CANCELLED, Reason.EXITED)
    if situation.opted_out:
        return Stopped(State.SUPPRESSED, Reason.OPTED_OUT)
    if not situation.agreed:
        return Stopped(State.SUPPRESSED, Reason.NO_CONSENT)
    if situation.suppressed:
        return Stopped(State.SUPPRESSED, Reason.SUPPRESSED_ADDRESS)
    if not situation.address:
        return Stopped(State.SUPPRESSED, Reason.NO_ADDRESS)
    if now > situation.expires_at:
        return Stopped(State.EXPIRED, Reason.TOO_LATE)
    if situation.closed_until is not None:
        return _wait(situation, *situation.closed_until)
    if cap is not None and len(situation.recently_sent) >= cap.limit:
        if not cap.postpone:
            return Stopped(State.SUPPRESSED, Reason.CAP)
        room_at = situation.recently_sent[-cap.limit] + cap.per
        return _wait(situation, room_at, Reason.CAP)
    return Allowed()


def _wait(situation: Situation, until: datetime, reason: Reason) -> Decision:
    """Waiting past its usefulness is not waiting: it expires for the reason that held it."""
    if until > situation.expires_at:
        return Stopped(State.EXPIRED, reason)
    return Postponed(until, reason)
