"""Membership terms that come to their end."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, bindparam, select

from crm_store.asked import Asked
from crm_store.columns import day_given
from crm_store.models.membership import MembershipStatus
from crm_store.occasions import OF_CLUB, Occasions, numbered, occasion
from crm_store.scope import CUSTOMER, MEMBERSHIP

WITH_CUSTOMER = MEMBERSHIP.join(CUSTOMER, CUSTOMER.c.id == MEMBERSHIP.c.customer_id)
IS_TERM = MEMBERSHIP.c.status == MembershipStatus.ACTIVE
TERM = numbered("term", MEMBERSHIP.c.id)


def terms_ending(
    club_id: int, first: date, last: date, plans: Sequence[str] | None = None
) -> Occasions:
    """Terms whose last day is in [`first`, `last`] and that no later term follows."""
    values = {"club": club_id, "first": first, "last": last}
    if plans is None:
        return Asked(_ENDING, values)
    return Asked(_ENDING_OF_PLANS, {**values, "plans": plans})


_LATER = MEMBERSHIP.alias("later")
_FOLLOWED = (
    select(_LATER.c.id)
    .where(
        _LATER.c.customer_id == MEMBERSHIP.c.customer_id,
        _LATER.c.ends_on > MEMBERSHIP.c.ends_on,
        _LATER.c.status == MembershipStatus.ACTIVE,
    )
    .exists()
)


def followed() -> ColumnElement[bool]:
    """Whether a later term follows this one."""
    return _FOLLOWED


_ENDING = (
    occasion(TERM, MEMBERSHIP.c.ends_on, membership_id=MEMBERSHIP.c.id)
    .select_from(WITH_CUSTOMER)
    .where(
        OF_CLUB,
        MEMBERSHIP.c.ends_on.between(day_given("first"), day_given("last")),
        IS_TERM,
        ~_FOLLOWED,
    )
)
_ENDING_OF_PLANS = _ENDING.where(MEMBERSHIP.c.plan.in_(bindparam("plans", expanding=True)))
