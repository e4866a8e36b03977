"""The verdict: what an answer, or a limit, makes of a touchpoint, and when it is tried again.

`docs/delivery.md` has all of it in one table, and a test holds the two together.
"""

from datetime import datetime, timedelta

from crm_messaging.message import Outcome, Receipt
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.touchpoints import Claimed, Ruling
from flows.prepare import Ready
from flows.traffic import spread

RETRIES = (
    timedelta(minutes=5),
    timedelta(minutes=15),
    timedelta(hours=1),
    timedelta(hours=3),
    timedelta(hours=6),
    timedelta(hours=12),
)
"""Pauses after a "not now"; after the last one the touchpoint has failed. See `spread`."""

UNREACHABLE_PAUSE = timedelta(minutes=2)
"""Pause when no server was reached: that is no try of the message."""

SOONEST, LATEST = timedelta(minutes=1), timedelta(days=1)
"""A server that says when to come again is believed, but not if it says "at once" or "never"."""


def ruling_for(ready: Ready, receipt: Receipt | None, now: datetime) -> Ruling:
    """What a receipt makes of a touchpoint. Without one the last look said no: ask again."""
    claimed = ready.claimed
    if receipt is None:
        return Ruling(claimed.id, State.QUEUED)
    state, reason, again = _verdict(claimed, receipt, now)
    if again is not None and again > claimed.expires_at:
        # Waiting past its usefulness is not waiting: it expires for what held it up.
        state, again = State.EXPIRED, None
    return Ruling(
        claimed.id,
        state,
        reason,
        receipt.detail,
        again,
        receipt.provider_ref,
        ready.language,
        claimed.attempts + receipt.connected,
    )


def _verdict(
    claimed: Claimed, receipt: Receipt, now: datetime
) -> tuple[State, Reason | None, datetime | None]:
    match receipt.outcome:
        case Outcome.ACCEPTED:
            return State.ACCEPTED, None, None
        case Outcome.REJECTED:
            return State.REJECTED, Reason.REFUSED, None
        case Outcome.IN_DOUBT:
            return State.IN_DOUBT, Reason.NO_REPLY, None
        case Outcome.DEFERRED if not receipt.connected:
            again = now + spread(claimed.id, UNREACHABLE_PAUSE)
            return State.QUEUED, Reason.NO_CONNECTION, again
        case Outcome.DEFERRED if claimed.attempts < len(RETRIES):
            if receipt.retry_at:
                again = min(max(receipt.retry_at, now + SOONEST), now + LATEST)
                return State.QUEUED, Reason.NOT_NOW, again
            again = now + spread(claimed.id, RETRIES[claimed.attempts])
            return State.QUEUED, Reason.NOT_NOW, again
    return State.FAILED, Reason.TOO_MANY_TRIES, None


def put_back(ready: Ready, reason: Reason, until: datetime, detail: str, now: datetime) -> Ruling:
    """It was not tried: its provider, or the whole server, is left alone `until` then."""
    return kept_back(ready, reason, now + spread(ready.claimed.id, until - now), detail)


def kept_back(ready: Ready, reason: Reason, until: datetime, detail: str = "") -> Ruling:
    """It was not tried, and may leave from `until` on, if that is not too late."""
    claimed = ready.claimed
    if until > claimed.expires_at:
        return Ruling(claimed.id, State.EXPIRED, reason, detail)
    return Ruling(claimed.id, State.QUEUED, reason, detail, until)


def over_the_limit(ready: Ready, seconds: float, now: datetime) -> Ruling:
    """A rate limit has no room for it within `seconds`.

    That is an estimate. Where it ends past the message's usefulness, the message comes back for
    a last look in time, and the gate decides.
    """
    again = min(now + timedelta(seconds=seconds), ready.claimed.expires_at)
    return Ruling(ready.claimed.id, State.QUEUED, Reason.RATE_LIMIT, not_before=again)
