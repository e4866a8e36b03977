"""Membership terms that come to their end."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, select

from crm_store.models.membership import MembershipStatus
from crm_store.occasions import Occasions, numbered, occasion, of_club
from crm_store.scope import CUSTOMER, MEMBERSHIP

WITH_CUSTOMER = MEMBERSHIP.join(CUSTOMER, CUSTOMER.c.id == MEMBERSHIP.c.customer_id)
IS_TERM = MEMBERSHIP.c.status == MembershipStatus.ACTIVE
TERM = numbered("term", MEMBERSHIP.c.id)


def terms_ending(
    club_id: int, first: date, last: date, plans: Sequence[str] | None = None
) -> Occasions:
    """Terms whose last day is in [`first`, `last`] and that no later term follows."""
    query = (
        occasion(TERM, MEMBERSHIP.c.ends_on, membership_id=MEMBERSHIP.c.id)
        .select_from(WITH_CUSTOMER)
        .where(
            of_club(club_id),
            MEMBERSHIP.c.ends_on.between(first, last),
            IS_TERM,
            ~followed(),
        )
    )
    return query if plans is None else query.where(MEMBERSHIP.c.plan.in_(plans))


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
