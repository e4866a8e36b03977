"""The audit: what the ledger says against what the server took."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from faults.club import DOMAIN, STEPS, Site
from sqlalchemy import func, select

from crm_messaging.mime import message_id_for
from crm_store.database import open_store
from crm_store.models.event import Event
from crm_store.models.touchpoint import OPEN, State
from crm_store.tables import table_of
from crm_store.touchpoints import TOUCHPOINT

KEY = ("campaign", "customer_id", "occurrence", "step", "channel")


@dataclass(frozen=True)
class Audit:
    """The figures of a run. Besides what was due, accepted and in doubt, all must be nothing."""

    due: int
    """Messages that the leads were owed."""
    accepted: int
    never_planned: int
    """Owed, and no touchpoint."""
    left_open: int
    """Touchpoints that nothing has ended or put in doubt."""
    ended_otherwise: int
    """Expired, failed and the like: nothing in a run gives reason for it."""
    accepted_not_taken: int
    """The ledger says sent; the server knows nothing of it."""
    taken_not_recorded: int
    """The server has it; the ledger says neither accepted nor in doubt."""
    taken_twice: int
    """Taken more than once, and not flagged as sent again."""
    keys_twice: int
    resent: int
    """Flagged as sent again out of doubt, under the same Message-ID."""
    taken_again: int
    """How many copies of those are in fact one too many."""
    in_doubt: int
    in_doubt_taken: int
    """Of those in doubt, how many had in fact been taken."""

    @property
    def lost(self) -> int:
        return self.never_planned + self.left_open + self.ended_otherwise + self.accepted_not_taken

    @property
    def doubled(self) -> int:
        return self.taken_twice + self.keys_twice

    @property
    def is_right(self) -> bool:
        """Nothing lost, nothing doubled, and nothing left the house without a record."""
        in_bounds = self.taken_again <= self.resent
        return in_bounds and self.lost == self.doubled == self.taken_not_recorded == 0


def states(site: Site) -> dict[str, State]:
    """How each touchpoint stands, by its Message-ID."""
    return {one: state for one, state, _ in _ledger(site)}


def _ledger(site: Site) -> list[tuple[str, State, int]]:
    """Message-ID, state and how often it was sent again, of each touchpoint."""
    query = select(
        TOUCHPOINT.c.state,
        TOUCHPOINT.c.resends,
        TOUCHPOINT.c.message_id,
        *(TOUCHPOINT.c[name] for name in KEY),
    )
    store = open_store(site.database)
    with store.read() as connection:
        rows = connection.execute(query).all()
    store.close()
    made = []
    for state, resends, message_id, *key in rows:
        assert message_id == message_id_for("|".join(map(str, key)), DOMAIN)
        made.append((message_id, State(state), resends))
    return made


def _leads(site: Site) -> int:
    store = open_store(site.database)
    with store.read() as connection:
        number = connection.execute(select(func.count()).select_from(table_of(Event))).scalar_one()
    store.close()
    return number


def audit(site: Site, taken: Iterable[str]) -> Audit:
    """Hold every touchpoint against `taken`, the Message-IDs that the server accepted."""
    times_taken = Counter(taken)
    leads, rows = _leads(site), _ledger(site)
    state_of = {one: state for one, state, _ in rows}
    resent = {one for one, _, resends in rows if resends}
    extra = {one: times - 1 for one, times in times_taken.items() if times > 1}
    by_state = Counter(state_of.values())
    doubted = [one for one, state in state_of.items() if state is State.IN_DOUBT]
    sent = (State.ACCEPTED, State.IN_DOUBT)
    left_open = sum(by_state[state] for state in OPEN)
    return Audit(
        due=leads * STEPS,
        accepted=by_state[State.ACCEPTED],
        never_planned=leads * STEPS - len(state_of),
        left_open=left_open,
        ended_otherwise=len(state_of) - left_open - sum(by_state[state] for state in sent),
        accepted_not_taken=sum(
            state is State.ACCEPTED and one not in times_taken for one, state in state_of.items()
        ),
        taken_not_recorded=sum(state_of.get(one) not in sent for one in times_taken),
        taken_twice=sum(times for one, times in extra.items() if one not in resent),
        resent=len(resent),
        taken_again=sum(times for one, times in extra.items() if one in resent),
        keys_twice=len(rows) - len(state_of),
        in_doubt=len(doubted),
        in_doubt_taken=sum(one in times_taken for one in doubted),
    )
