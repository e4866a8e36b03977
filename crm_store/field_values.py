"""The values of fields for many enrollments at once: what templates are filled with."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import BigInteger, Connection, select

from crm_store.catalogue.event_fields import event_fields
from crm_store.catalogue.field import Catalogue
from crm_store.enrollments import ENROLLMENT, of_enrollments
from crm_store.event_data import data_columns, data_values
from crm_store.given_rows import as_rows, given_rows
from crm_store.scope import CUSTOMER, Scope

_ENROLLMENTS = given_rows("enrollments", id=BigInteger())


def of_enrolled(
    connection: Connection,
    catalogue: Catalogue,
    names: Collection[str],
    enrollment_ids: Sequence[int],
    scope: Scope,
) -> dict[int, dict[str, Any]]:
    """By enrollment: the value of each named field. The very SQL that conditions use.

    `event.<key>` is what the enrollment's event says; see `crm_store.event_data`.
    """
    told = event_fields(names)
    names = sorted({*names}.difference(told))
    values = [catalogue[name].sql(scope) for name in names]
    rows = connection.execute(
        of_enrollments((ENROLLMENT.c.id, *values, *data_columns(told))).where(
            ENROLLMENT.c.id.in_(select(_ENROLLMENTS.c.id))
        ),
        {"enrollments": as_rows([(one,) for one in enrollment_ids])},
    ).all()
    if not told:
        return {row[0]: dict(zip(names, row[1:], strict=True)) for row in rows}
    first = len(names) + 1
    return {
        row[0]: dict(zip(names, row[1:first], strict=True)) | data_values(told, row[first:])
        for row in rows
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
