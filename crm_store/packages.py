"""Packages of sessions: what is left of them, and who runs low."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, case, or_

from crm_store.asked import Asked
from crm_store.columns import day_given, day_of, day_text, moment_given
from crm_store.inserting import insert_into
from crm_store.models.activity import PackageBalance
from crm_store.occasions import OF_CLUB, Occasions, numbered, occasion
from crm_store.scope import CUSTOMER
from crm_store.tables import table_of

_PACKAGE = table_of(PackageBalance)


def set_balance(
    connection: Connection,
    customer_id: int,
    package: str,
    remaining: int,
    *,
    expires_on: date | None,
    at: datetime,
) -> None:
    """Write down what was left of a package at a moment.

    More than before means that it was bought again. What is known of a later moment stays.
    """
    new = insert_into(connection, _PACKAGE).values(
        customer_id=customer_id,
        package=package,
        remaining=remaining,
        expires_on=expires_on,
        filled_at=at,
        updated_at=at,
    )
    more = new.excluded.remaining > _PACKAGE.c.remaining
    written: dict[str, Any] = {
        "remaining": new.excluded.remaining,
        "expires_on": new.excluded.expires_on,
        "filled_at": case((more, new.excluded.filled_at), else_=_PACKAGE.c.filled_at),
        "updated_at": new.excluded.updated_at,
    }
    connection.execute(
        new.on_conflict_do_update(
            index_elements=["customer_id", "package"],
            set_=written,
            where=_PACKAGE.c.updated_at <= new.excluded.updated_at,
        )
    )


def running_low(
    club_id: int,
    at_most: int,
    package: str | None,
    *,
    since: datetime,
    until: datetime,
    today: date,
) -> Occasions:
    """Packages of which at most so much is left since a moment in [`since`, `until`], the anchor.

    The occurrence is the purchase: a package is low once until it is bought again. One that has
    expired is not low, it is gone.
    """
    values = {
        **{"club": club_id, "at_most": at_most},
        **{"since": since, "until": until, "today": today},
    }
    if package is None:
        return Asked(_LOW, values)
    return Asked(_LOW_OF_PACKAGE, {**values, "package": package})


_BOUGHT = day_text(day_of(_PACKAGE.c.filled_at))
_WHICH = numbered("package", _PACKAGE.c.id)
_LOW = (
    occasion(case((_BOUGHT.is_(None), _WHICH), else_=_WHICH + ":" + _BOUGHT), _PACKAGE.c.updated_at)
    .select_from(_PACKAGE.join(CUSTOMER, CUSTOMER.c.id == _PACKAGE.c.customer_id))
    .where(
        OF_CLUB,
        _PACKAGE.c.remaining <= bindparam("at_most"),
        _PACKAGE.c.updated_at.between(moment_given("since"), moment_given("until")),
        or_(_PACKAGE.c.expires_on.is_(None), _PACKAGE.c.expires_on >= day_given("today")),
    )
)
_LOW_OF_PACKAGE = _LOW.where(_PACKAGE.c.package == bindparam("package"))
