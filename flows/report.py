"""What a sweep came to: counts by campaign, state and reason. Never a person."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from crm_store.models.touchpoint import State
from crm_store.reasons import Reason


@dataclass
class CampaignReport:
    """One campaign's part of a sweep."""

    campaign: str
    admitted: int = 0
    due: int = 0
    """Touchpoints whose time had come when delivery began."""
    outcomes: Counter[tuple[State, Reason | None]] = field(default_factory=Counter)
    waiting: int = 0
    """Customers in the campaign with steps to come."""
    disabled: str | None = None
    """Why the campaign did not run, when it did not."""
    failed: str | None = None
    """The error that ended its work early, by class and place; the other campaigns went on."""
    paused: str | None = None
    """Why it sends nothing at present, when somebody has paused it."""

    def count(self, state: State) -> int:
        """Touchpoints of this sweep that ended in `state`."""
        return sum(n for (ended, _), n in self.outcomes.items() if ended == state)

    def by_state(self) -> dict[str, int]:
        """Counts by state, every state that occurred."""
        counts: Counter[str] = Counter()
        for (state, _), number in self.outcomes.items():
            counts[str(state)] += number
        return dict(sorted(counts.items()))

    def by_reason(self) -> dict[str, dict[str, int]]:
        """Counts by state and reason, for those that have a reason."""
        table: dict[str, dict[str, int]] = {}
        for (state, reason), number in sorted(self.outcomes.items(), key=str):
            if reason is not None:
                table.setdefault(str(state), {})[str(reason)] = number
        return table

    def to_json(self) -> dict[str, Any]:
        """The stable form of `sweep --json`."""
        return {
            "campaign": self.campaign,
            "admitted": self.admitted,
            "due": self.due,
            "by_state": self.by_state(),
            "by_reason": self.by_reason(),
            "waiting": self.waiting,
            "disabled": self.disabled,
            "failed": self.failed,
            "paused": self.paused,
        }


@dataclass
class SweepReport:
    """One sweep over all campaigns."""

    as_of: datetime
    campaigns: list[CampaignReport] = field(default_factory=list)
    recovered: int = 0
    """Claims of a dead worker that went back to the queue."""
    paused: str | None = None
    """Why nothing at all leaves at present, when somebody has paused everything."""
    in_doubt: int = 0
    """Touchpoints that a dead worker left in `sending`."""
    prefect_lost: str | None = None
    """Why Prefect does not show this sweep, or not all of it."""

    @property
    def admitted(self) -> int:
        return sum(one.admitted for one in self.campaigns)

    def count(self, state: State) -> int:
        """Touchpoints of this sweep that ended in `state`, over all campaigns."""
        return sum(one.count(state) for one in self.campaigns)

    def to_json(self) -> dict[str, Any]:
        """The stable form of `sweep --json`."""
        return {
            "as_of": self.as_of.isoformat(),
            "admitted": self.admitted,
            "accepted": self.count(State.ACCEPTED),
            "recovered": self.recovered,
            "in_doubt": self.in_doubt,
            "paused": self.paused,
            "orchestrated": self.prefect_lost is None,
            "campaigns": [one.to_json() for one in self.campaigns],
        }
