"""What may still be sent: the facts the gate asks for, and the last look as `sending` is set."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Dialect,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    or_,
    select,
    true,
    update,
)

from crm_store.columns import UtcDateTime
from crm_store.given_rows import as_rows, given_rows
from crm_store.literals import is_still, is_word, one_of
from crm_store.locks import Lock, hold
from crm_store.models.campaign import Enrollment
from crm_store.models.club import Club
from crm_store.models.consent import ANY_TOPIC, Consent, Reach
from crm_store.models.event import Event
from crm_store.models.touchpoint import SENT, State
from crm_store.on_driver import OnDriver
from crm_store.pauses import is_paused
from crm_store.scope import CUSTOMER
from crm_store.suppressions import Address, any_suppressed, hashes_of, suppressions
from crm_store.tables import table_of
from crm_store.touchpoints import NAMED, TOUCHPOINT

_CONSENT, _EVENT = table_of(Consent), table_of(Event)
_ENROLLMENT, _CLUB = table_of(Enrollment), table_of(Club)

WEBHOOK = "webhook"
AddressFields: TypeAlias = tuple[tuple[str, str], ...]
"""Channels whose addresses stand in a custom field, each with the field's key."""


def _address(fields: AddressFields) -> ColumnElement[str | None]:
    """Her address on the touchpoint's channel."""
    custom = (
        (TOUCHPOINT.c.channel == channel, cast(CUSTOMER.c.custom[key].as_string(), String))
        for channel, key in fields
    )
    return case(
        (TOUCHPOINT.c.channel == "email", CUSTOMER.c.email),
        # A call to another system is to nobody's address.
        (TOUCHPOINT.c.channel == WEBHOOK, WEBHOOK),
        *custom,
        # Text messages, and all messengers that know people by their numbers.
        else_=CUSTOMER.c.phone,
    )


@dataclass(frozen=True)
class TopicRule:
    """What a campaign's messages are about, and whose permission they need."""

    topic: str
    transactional: bool = False
    """They are part of what she bought or asked for: no opt-out of other topics keeps them back."""
    opt_in: frozenset[str] = frozenset()
    """The channels on which she must have agreed first."""
    address_fields: AddressFields = ()

    @property
    def opt_outs(self) -> tuple[str, ...]:
        """The topics of which an opt-out counts."""
        return (self.topic,) if self.transactional else (ANY_TOPIC, self.topic)

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """What a suppression of the address must reach to count."""
        return (Reach.EVERYTHING,) if self.transactional else tuple(Reach)

    @property
    def needs_opt_in(self) -> bool:
        return bool(self.opt_in) and not self.transactional


class SendFacts(NamedTuple):
    """What the gate knows of a touchpoint's customer at this moment."""

    touchpoint_id: int
    customer_id: int
    address: str | None
    language: str | None
    timezone: str
    opted_out: bool
    suppressed: bool
    exited: bool
    agreed: bool
    """False when the channel is for those only who have agreed, and she has not."""


def _consents(topics: Sequence[str], *, granted: bool) -> ColumnElement[bool]:
    """Whether she has said so about one of the topics, on the touchpoint's channel."""
    said = (
        select(_CONSENT.c.id)
        .where(
            _CONSENT.c.customer_id == TOUCHPOINT.c.customer_id,
            _CONSENT.c.channel == TOUCHPOINT.c.channel,
            one_of(_CONSENT.c.topic, topics),
            _CONSENT.c.granted.is_(granted),
        )
        .correlate(TOUCHPOINT)
    )
    return said.exists()


def _opted_out(rule: TopicRule) -> ColumnElement[bool]:
    return _consents(rule.opt_outs, granted=False)


def _agreed(rule: TopicRule) -> ColumnElement[bool]:
    return or_(
        ~one_of(TOUCHPOINT.c.channel, sorted(rule.opt_in)), _consents(rule.opt_outs, granted=True)
    )


def _exited(exit_on: Sequence[str]) -> ColumnElement[bool]:
    left = (
        select(_EVENT.c.id)
        .where(
            _ENROLLMENT.c.id == TOUCHPOINT.c.enrollment_id,
            _EVENT.c.customer_id == _ENROLLMENT.c.customer_id,
            one_of(_EVENT.c.name, exit_on),
            _EVENT.c.occurred_at >= _ENROLLMENT.c.exits_from,
        )
        .correlate(TOUCHPOINT)
    )
    return left.exists()


# Statements of the hot path are built once for each rule: that takes longer than running them.
@lru_cache(maxsize=64)
def _facts(rule: TopicRule, exit_on: tuple[str, ...]) -> Select[Any]:
    return (
        select(
            TOUCHPOINT.c.id,
            TOUCHPOINT.c.customer_id,
            func.nullif(_address(rule.address_fields), "").label("address"),
            CUSTOMER.c.language,
            func.coalesce(func.nullif(CUSTOMER.c.timezone, ""), _CLUB.c.timezone).label("timezone"),
            _opted_out(rule).label("opted_out"),
            false().label("suppressed"),
            _exited(exit_on).label("exited"),
            (_agreed(rule) if rule.needs_opt_in else true()).label("agreed"),
            TOUCHPOINT.c.channel,
        )
        .select_from(TOUCHPOINT)
        .join(CUSTOMER, CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .join(_CLUB, _CLUB.c.id == CUSTOMER.c.club_id)
        .where(TOUCHPOINT.c.id.in_(bindparam("ids", expanding=True)))
    )


def facts(
    connection: Connection,
    touchpoint_ids: Sequence[int],
    *,
    rule: TopicRule,
    exit_on: Sequence[str],
) -> dict[int, SendFacts]:
    """What the gate has to know, for a whole batch at once, by touchpoint."""
    statement = _facts(rule, tuple(exit_on))
    rows = connection.execute(statement, {"ids": list(touchpoint_ids)}).all()
    known = {row[0]: SendFacts(*row[:-1]) for row in rows}
    addresses = {row[0]: (row[-1], row[2]) for row in rows if row[2] is not None}
    closed = suppressions(connection, addresses.values())
    for one, address in addresses.items():
        found = closed.get(address)
        if found is not None and found.reach in rule.reaches:
            if found.reach == Reach.MARKETING:  # her own wish
                known[one] = known[one]._replace(opted_out=True)
            else:
                known[one] = known[one]._replace(suppressed=True)
    return known


def sent_since(
    connection: Connection,
    customer_ids: Sequence[int],
    since: datetime,
    token: str,
    now: datetime,
) -> dict[int, list[datetime]]:
    """By customer, when each of her messages of any campaign left after `since`, oldest first.

    A message that another worker holds at this moment counts as leaving now; those under
    `token` are the asker's own.
    """
    asked = {
        **{"customers": customer_ids, "since": since, "asker": token, "now": now},
        # A clock set back by hours still counts; a rehearsal of next year does not.
        "until": now + timedelta(days=1),
    }
    times: dict[int, list[datetime]] = {}
    for customer_id, sent_at in connection.execute(_SENT_SINCE, asked):
        times.setdefault(customer_id, []).append(sent_at or now)
    return times


_SENT_SINCE = (
    select(TOUCHPOINT.c.customer_id, TOUCHPOINT.c.sent_at)
    .where(
        TOUCHPOINT.c.customer_id.in_(bindparam("customers", expanding=True)),
        TOUCHPOINT.c.is_marketing,
        or_(
            and_(
                TOUCHPOINT.c.state.in_(SENT),
                # Not the one whose span is just over: what waited for that may leave.
                TOUCHPOINT.c.sent_at > bindparam("since", type_=UtcDateTime),
                TOUCHPOINT.c.sent_at <= bindparam("until", type_=UtcDateTime),
            ),
            and_(
                is_word(TOUCHPOINT.c.state, State.CLAIMED),
                TOUCHPOINT.c.claim_token != bindparam("asker"),
            ),
        ),
    )
    .order_by(func.coalesce(TOUCHPOINT.c.sent_at, bindparam("now", type_=UtcDateTime)))
)


_WISHES = given_rows("wishes", id=BigInteger(), address=String()).c


@lru_cache(maxsize=64)
def _begin_sending(rule: TopicRule, exit_on: tuple[str, ...], dialect: Dialect) -> OnDriver:
    address_now = (
        select(_address(rule.address_fields))
        .where(CUSTOMER.c.id == TOUCHPOINT.c.customer_id)
        .correlate(TOUCHPOINT)
        .scalar_subquery()
    )
    statement = (
        update(TOUCHPOINT)
        .where(
            *(() if dialect.name == "sqlite" else (NAMED,)),
            TOUCHPOINT.c.id == _WISHES.id,
            is_still(TOUCHPOINT.c.state, State.CLAIMED),
            TOUCHPOINT.c.claim_token == bindparam("token"),
            TOUCHPOINT.c.lease_until >= bindparam("now"),
            TOUCHPOINT.c.expires_at >= bindparam("now"),
            ~is_paused(TOUCHPOINT.c.campaign),
            _WISHES.address == address_now,
            ~_opted_out(rule),
            ~any_suppressed(rule.reaches),
            ~_exited(exit_on),
            *((_agreed(rule),) if rule.needs_opt_in else ()),
        )
        .values(
            state=str(State.SENDING), sent_at=bindparam("now"), attempts=TOUCHPOINT.c.attempts + 1
        )
    )
    return OnDriver(statement, dialect)


_BEGUN = select(TOUCHPOINT.c.id).where(
    TOUCHPOINT.c.id.in_(bindparam("ids", expanding=True)),
    TOUCHPOINT.c.claim_token == bindparam("token"),
    is_still(TOUCHPOINT.c.state, State.SENDING),
)


def begin_sending(
    connection: Connection,
    addresses: Mapping[int, Address],
    *,
    token: str,
    rule: TopicRule,
    exit_on: Sequence[str],
    now: datetime,
) -> set[int]:
    """Set `sending` for those that may still go; return their ids.

    `addresses` says, by touchpoint, the channel and where its finished message is addressed to.

    This commit is the point of no return (promises G3 and G5). Consent, suppression, exit,
    lateness, a pause, the lease and her address are looked at again in the very statement that
    sets it: whatever committed before it wins. Whoever takes permission away holds the lock
    alone, so no opt-out commits between the moment this statement looks and the moment it
    commits.
    """
    hold(connection, Lock.PERMISSION, shared=True)
    asked = {
        "ids": list(addresses),
        "wishes": as_rows([(one, address) for one, (_, address) in addresses.items()]),
        "token": token,
        "now": now,
        "hashes": as_rows([(one,) for one in hashes_of(connection, addresses.values())]),
    }
    statement = _begin_sending(rule, tuple(exit_on), connection.dialect)
    number = statement.execute(connection, asked).rowcount
    if number == len(addresses):
        return set(addresses)
    if number:
        return set(connection.execute(_BEGUN, asked).scalars())
    # One suppressed address holds up all that are asked about together: asking of each alone
    # would cost every message what hardly any needs. The others go without it.
    closed = suppressions(connection, addresses.values())
    others = {
        one: address
        for one, address in addresses.items()
        if address not in closed or closed[address].reach not in rule.reaches
    }
    if not others or len(others) == len(addresses):
        return set()
    return begin_sending(connection, others, token=token, rule=rule, exit_on=exit_on, now=now)
