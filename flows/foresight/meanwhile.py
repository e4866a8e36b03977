"""Who may come in between two whole passes of a simulation: by a visit, or by an event."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from crm_store.admission import Among
from crm_store.catalogue.field import Catalogue
from crm_store.catalogue.values import VISITS, CountOf
from crm_store.event_names import PURCHASE_RECORDED, VISIT_RECORDED
from crm_store.foresight import comes_between, newest_event, seen, told_of
from flows.campaigns import RunningCampaign
from flows.engine import Engine
from flows.foresight.next_entry import STORED
from flows.rules import AmongOf, count_segments, everybody
from triggers.segments import Segment


@dataclass
class Meanwhile:
    """Sees at each pass what has happened since the one before.

    A sweep asks for everybody each time. What only the calendar changes, a simulation asks for at
    midnight; in between it asks for those whom something happened to.
    """

    engine: Engine
    campaigns: Sequence[RunningCampaign]
    _since: datetime | None = None
    _event: int = 0
    _updates: bool = field(init=False)
    _timeless: frozenset[Segment] = field(init=False)

    def __post_init__(self) -> None:
        acts = (act for one in self.campaigns for act in one.current.definition.acts())
        self._updates = any(act.action.update is not None for act in acts)
        is_timeless = partial(_is_timeless, self.engine.catalogue)
        self._timeless = frozenset(filter(is_timeless, self.engine.segments))

    @property
    def asks_always(self) -> bool:
        """Whether it asks for anybody at each stop: what a step changes in a customer leaves no
        event."""
        return self._updates

    @property
    def hears_of_visits(self) -> bool:
        """Whether a visit by itself can let somebody in."""
        return any(map(_comes_unannounced, self.campaigns))

    def whole(self, now: datetime) -> AmongOf:
        """Among whom a whole pass counts the segments: everybody, but in one that no calendar
        changes only those whom something happened to."""
        since, event = self._since, self._event
        self._look(now)
        if since is None or self._updates:
            return everybody
        either = seen(since, now, event)
        return lambda segment: either if segment in self._timeless else None

    def asked(self, now: datetime) -> Iterator[tuple[Sequence[RunningCampaign], Among | None]]:
        """The campaigns into which somebody may have come since, and who that can be.

        Counts the segments. `None` stands for anybody. Nobody is asked for because of others: so a
        part of the customers is asked for as it would be among all.
        """
        since, event = self._since or now, self._event
        self._look(now)
        if self._updates:
            count_segments(self.engine, self.campaigns)
            yield self.campaigns, None
            return
        told = self._event > event
        with self.engine.store.read() as connection:
            if not told and not comes_between(connection, since, now):
                return
        either = seen(since, now, event)
        count_segments(self.engine, self.campaigns, lambda _: either)
        yield [one for one in self.campaigns if _comes_unannounced(one)], either
        if told:
            yield [one for one in self.campaigns if not _comes_unannounced(one)], told_of(event)

    def _look(self, now: datetime) -> None:
        with self.engine.store.read() as connection:
            self._since, self._event = now, newest_event(connection)


def _is_timeless(catalogue: Catalogue, segment: Segment) -> bool:
    """Whether nobody comes into a segment or leaves it unless something happens to them."""
    values = [catalogue[name].value for name in segment.condition.fields]
    return all(isinstance(one, STORED) or one == CountOf(VISITS) for one in values)


def _comes_unannounced(campaign: RunningCampaign) -> bool:
    """Whether its occasions come without an event of which the intake hears."""
    trigger = campaign.current.definition.trigger
    is_kept = trigger.listens_to in (VISIT_RECORDED, PURCHASE_RECORDED)
    return is_kept or bool(trigger.segments)
