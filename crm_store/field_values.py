"""The values of fields for many enrollments at once: what templates are filled with."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, select

from crm_store.catalogue.field import Catalogue
from crm_store.enrollments import ENROLLMENT, of_enrollments
from crm_store.scope import CUSTOMER, Scope


def of_enrolled(
    connection: Connection,
    catalogue: Catalogue,
    names: Collection[str],
    enrollment_ids: Sequence[int],
    scope: Scope,
) -> dict[int, dict[str, Any]]:
    """By enrollment: the value of each named field. The very SQL that conditions use."""
    fields = [catalogue[name] for name in sorted(names)]
    rows = connection.execute(
        of_enrollments((ENROLLMENT.c.id, *(field.sql(scope) for field in fields))).where(
            ENROLLMENT.c.id.in_(enrollment_ids)
        )
    )
    return {
        row[0]: dict(zip((field.name for field in fields), row[1:], strict=True)) for row in rows
    }


def of_customer(
    connection: Connection,
    catalogue: Catalogue,
    names: Collection[str],
    customer_id: int,
    scope: Scope,
) -> dict[str, Any]:
    """The value of each named field for one customer, her latest membership where one is asked."""
    fields = [catalogue[name] for name in sorted(names)]
    row = connection.execute(
        select(*(field.sql(scope) for field in fields))
        .select_from(CUSTOMER)
        .where(CUSTOMER.c.id == customer_id)
    ).one()
    return dict(zip((field.name for field in fields), row, strict=True))
