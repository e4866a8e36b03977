"""What a simulation counts, of all customers or of a part of them: tallies of parts add up."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from crm_store.touchpoints import Claimed
from flows.foresight.play import Outcomes


def _by_day() -> defaultdict[date, Counter[str]]:
    return defaultdict(Counter)


@dataclass
class Tally:
    """Counts, and no names. Days are the club's."""

    load: defaultdict[date, Counter[str]] = field(default_factory=_by_day)
    """Messages by day and campaign."""
    by_channel: defaultdict[date, Counter[str]] = field(default_factory=_by_day)
    """Messages by day and channel."""
    of_member: Counter[int] = field(default_factory=Counter)
    """Messages by customer."""
    of_week: Counter[tuple[int, date]] = field(default_factory=Counter)
    """Messages by customer and the Monday of the week."""
    admitted: Counter[str] = field(default_factory=Counter)
    outcomes: dict[str, Outcomes] = field(default_factory=dict)
    """By campaign."""
    passes: set[datetime] = field(default_factory=set)
    """When there was something to do."""

    def count(self, day: date, campaign: str, messages: Sequence[Claimed]) -> None:
        """Messages of a campaign leave on a day."""
        monday = day - timedelta(days=day.weekday())
        self.load[day][campaign] += len(messages)
        self.by_channel[day].update(one.channel for one in messages)
        self.of_member.update(one.customer_id for one in messages)
        self.of_week.update((one.customer_id, monday) for one in messages)

    def add(self, other: "Tally") -> None:
        """Take in what was counted of other customers."""
        for mine, theirs in ((self.load, other.load), (self.by_channel, other.by_channel)):
            for day, counts in theirs.items():
                mine[day].update(counts)
        self.of_member.update(other.of_member)
        self.of_week.update(other.of_week)
        self.admitted.update(other.admitted)
        for campaign, outcomes in other.outcomes.items():
            self.outcomes.setdefault(campaign, Counter()).update(outcomes)
        self.passes |= other.passes
