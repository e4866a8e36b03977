"""Packages of sessions: what is left of them, and who runs low."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, case, or_

from crm_store.columns import day_of, day_text
from crm_store.inserting import insert_into
from crm_store.models.activity import PackageBalance
from crm_store.occasions import Occasions, numbered, occasion, of_club
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
    bought = day_text(day_of(_PACKAGE.c.filled_at))
    which = numbered("package", _PACKAGE.c.id)
    query = (
        occasion(case((bought.is_(None), which), else_=which + ":" + bought), _PACKAGE.c.updated_at)
        .select_from(_PACKAGE.join(CUSTOMER, CUSTOMER.c.id == _PACKAGE.c.customer_id))
        .where(
            of_club(club_id),
            _PACKAGE.c.remaining <= at_most,
            _PACKAGE.c.updated_at.between(since, until),
            or_(_PACKAGE.c.expires_on.is_(None), _PACKAGE.c.expires_on >= today),
        )
    )
    return query if package is None else query.where(_PACKAGE.c.package == package)
