"""Prepare a batch for hand-over: claim it, ask the gate, compose what may leave.

What it asks of the store is set-based, a handful of statements a batch, and goes on in a thread
beside the sessions that hand over the batch before. Composing is work for the interpreter alone. In
a thread it would fight with the sessions for it, which costs both more than it gains: so whoever
delivers composes between their turns, some messages at a time.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from typing import NamedTuple, TypeAlias
from uuid import uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import Connection

from crm_messaging.dlt import NotRegistered
from crm_messaging.gate import Allowed, Cap, Postponed, Situation, decide
from crm_messaging.message import Outgoing, OutgoingCall
from crm_messaging.mime import BadAddress
from crm_messaging.template_problems import TemplateUnusable
from crm_store import sending, touchpoints
from crm_store.errors import SamparkError
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.sending import WEBHOOK, SendFacts
from crm_store.touchpoints import Claimed, Ruling
from flows.calling import calls_of
from flows.campaigns import RunningCampaign, version_of
from flows.composing import Composed, composing
from flows.engine import Engine
from triggers.definition import CampaignDefinition
from triggers.timeline import closed_until

Stuck: TypeAlias = dict[int, TemplateUnusable]
"""Versions of a campaign whose messages cannot be made, and why."""

BATCH = 1_000
LEASE = timedelta(minutes=20)
"""Longer than the longest wait for a reply (10 minutes, RFC 5321 section 4.5.3.2.6)."""

_WHY_NOT_MADE: dict[type[SamparkError], Reason] = {
    BadAddress: Reason.BAD_ADDRESS,
    NotRegistered: Reason.NOT_REGISTERED,
}
"""Anything else is the template's fault."""


NO_CHANNEL_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class Taken:
    """A claimed batch, all of one version of its campaign."""

    token: str
    batch: Sequence[Claimed]
    at: datetime


class Ready(NamedTuple):
    """A claimed touchpoint and its finished message."""

    claimed: Claimed
    message: Outgoing
    language: str


@dataclass
class Prepared:
    """A claimed batch: what may leave, and what was decided about the rest."""

    token: str
    definition: CampaignDefinition
    at: datetime
    outgoing: list[Ready] = field(default_factory=list)
    rulings: list[Ruling] = field(default_factory=list)
    to_compose: Iterator[Composed] = field(default_factory=lambda: iter(()))

    def __len__(self) -> int:
        """Once all is composed."""
        return len(self.outgoing) + len(self.rulings)

    def outcomes(self) -> Counter[tuple[State, Reason | None]]:
        """What was decided about those that do not leave now."""
        return Counter((one.state, one.reason) for one in self.rulings)

    def compose(self, at_most: int = BATCH) -> bool:
        """Compose the next messages; False when none were left.

        One that cannot be made stops alone.
        """
        some = list(islice(self.to_compose, at_most))
        for one, message, language in some:
            if isinstance(message, SamparkError):
                why = _WHY_NOT_MADE.get(type(message), Reason.TEMPLATE)
                self.rulings.append(Ruling(one.id, State.FAILED, why, str(message)))
            else:
                self.outgoing.append(Ready(one, message, language))
        if not some:
            # As their rows lie: what a commit writes down is then on few pages of the database.
            self.outgoing.sort(key=lambda ready: ready.claimed.id)
        return bool(some)


def prepare(
    engine: Engine, campaign: RunningCampaign, limit: int = BATCH, stuck: Stuck | None = None
) -> Prepared | None:
    """Claim the next batch of a campaign and ask of the store all that its messages need.

    `None` when nothing is queued. What is left: to compose, and to `write_rulings`.

    A version with a template that cannot be used is noted in `stuck` and passed over: who came in
    under another one does not wait for it. Without `stuck` it raises `TemplateUnusable`.
    """
    while (taken := take(engine, campaign, limit, stuck or ())) is not None:
        try:
            return _prepared(engine, campaign, taken)
        except BaseException as error:
            # Nothing has left: whoever comes next may have them.
            engine.store.transact(touchpoints.release, taken.token)
            if stuck is None or not isinstance(error, TemplateUnusable):
                raise
            stuck[taken.batch[0].version_id] = error
    return None


def write_rulings(engine: Engine, prepared: Prepared) -> None:
    """Write down what was decided about those that do not leave now."""
    engine.store.transact(touchpoints.rule, prepared.rulings, prepared.token, prepared.at)


def take(
    engine: Engine, campaign: RunningCampaign, limit: int, passed_over: Collection[int] = ()
) -> Taken | None:
    """Claim the next batch of a campaign; `None` when nothing is queued."""
    now = engine.clock()
    token = uuid4().hex
    with engine.store.write() as connection:
        batch = touchpoints.claim(
            connection,
            club_id=engine.club_id,
            campaign=campaign.slug,
            token=token,
            now=now,
            lease_until=now + LEASE,
            limit=limit,
            passed_over=passed_over,
        )
        number = engine.mark.count(connection) if engine.mark and batch else 0
    if not batch:
        return None
    if engine.mark:
        engine.mark.note(number)
    return Taken(token, batch, now)


def judge(
    engine: Engine, connection: Connection, taken: Taken, prepared: Prepared
) -> tuple[list[Claimed], dict[int, SendFacts]]:
    """Ask the gate about a batch: rulings go into `prepared`; returns what may leave."""
    facts = sending.facts(
        connection,
        [one.id for one in taken.batch],
        rule=engine.rule_of(prepared.definition),
        exit_on=prepared.definition.exit_on,
    )
    open_to_us = _with_a_channel(engine, taken.batch, prepared, taken.at)
    is_marketing = prepared.definition.topic not in engine.transactional
    return (
        _ask_the_gate(connection, open_to_us, facts, prepared, taken.at, is_marketing=is_marketing),
        facts,
    )


def _prepared(engine: Engine, campaign: RunningCampaign, taken: Taken) -> Prepared:
    version = version_of(campaign, taken.batch[0].version_id, engine.store, engine.catalogue)
    definition = version.definition
    prepared = Prepared(taken.token, definition, taken.at)
    with engine.store.read() as connection:
        allowed, facts = judge(engine, connection, taken, prepared)
        scope = engine.scope(definition, taken.at)
        messages = [one for one in allowed if one.channel != WEBHOOK]
        prepared.to_compose = composing(engine, connection, definition, messages, facts, scope)
        calls = [one for one in allowed if one.channel == WEBHOOK]
        for one, made in calls_of(engine, connection, definition, calls, scope):
            if isinstance(made, OutgoingCall):
                prepared.outgoing.append(Ready(one, made, ""))
            else:
                why = str(made)
                prepared.rulings.append(Ruling(one.id, State.FAILED, Reason.TEMPLATE, why))
    return prepared


def _with_a_channel(
    engine: Engine, batch: Sequence[Claimed], prepared: Prepared, now: datetime
) -> list[Claimed]:
    """Put back what has no way out; it waits for club.yaml to name one."""
    again = now + NO_CHANNEL_PAUSE
    prepared.rulings += [
        Ruling(one.id, State.QUEUED, Reason.NO_CHANNEL, not_before=again)
        for one in batch
        if one.channel not in engine.channels
    ]
    return [one for one in batch if one.channel in engine.channels]


def _ask_the_gate(
    connection: Connection,
    batch: Sequence[Claimed],
    facts: dict[int, SendFacts],
    prepared: Prepared,
    now: datetime,
    *,
    is_marketing: bool,
) -> list[Claimed]:
    """Rule on what may not leave now; return what may."""
    defaults = prepared.definition.defaults
    cap, sent = None, dict[int, list[datetime]]()
    if defaults.cap is not None and is_marketing:
        cap = Cap(defaults.cap.max, defaults.cap.span, defaults.cap.otherwise == "postpone")
        customers = [one.customer_id for one in batch]
        sent = sending.sent_since(connection, customers, now - cap.per, prepared.token, now)
    # A batch knows few zones; the hours that are closed are the same for everyone there.
    closed = {
        zone: closed_until(now, ZoneInfo(zone), defaults.quiet_hours, defaults.send_window)
        for zone in {known.timezone for known in facts.values()}
    }
    allowed = []
    for one in batch:
        known = facts[one.id]
        writes = one.channel != WEBHOOK
        recently = sent.setdefault(one.customer_id, [])
        situation = Situation(
            address=known.address,
            opted_out=known.opted_out,
            agreed=known.agreed,
            suppressed=known.suppressed,
            exited=known.exited,
            expires_at=one.expires_at,
            closed_until=closed[known.timezone] if writes else None,
            recently_sent=recently,
        )
        match decide(situation, cap if writes else None, now):
            case Allowed():
                allowed.append(one)
                if writes:
                    recently.append(now)
            case Postponed(until, reason):
                prepared.rulings.append(Ruling(one.id, State.PLANNED, reason, not_before=until))
            case stopped:
                prepared.rulings.append(Ruling(one.id, stopped.state, stopped.reason))
    return allowed
