"""Queries about clubs."""

from datetime import datetime

from sqlalchemy import Connection, insert, select, update

from crm_store.models.club import Club
from crm_store.tables import table_of

_CLUB = table_of(Club)


def keep_club(
    connection: Connection,
    *,
    code: str,
    name: str,
    timezone: str,
    country: str,
    language: str,
    currency: str,
    website: str,
    phone: str,
    address: str,
    now: datetime,
) -> int:
    """Write what club.yaml says of the club; return its id. Unchanged facts write nothing."""
    facts = {
        "name": name,
        "timezone": timezone,
        "country": country,
        "language": language,
        "currency": currency,
        "website": website,
        "phone": phone,
        "address": address,
    }
    row = connection.execute(select(_CLUB).where(_CLUB.c.code == code)).mappings().one_or_none()
    if row is None:
        made = connection.execute(
            insert(_CLUB).values(code=code, **facts, updated_at=now).returning(_CLUB.c.id)
        )
        return int(made.scalar_one())
    if any(row[key] != value for key, value in facts.items()):
        connection.execute(
            update(_CLUB).where(_CLUB.c.id == row["id"]).values(**facts, updated_at=now)
        )
    return int(row["id"])


def find_club(connection: Connection, code: str) -> int | None:
    """The id of the club with this code; `None` before `keep_club` has seen it."""
    return connection.execute(select(_CLUB.c.id).where(_CLUB.c.code == code)).scalar_one_or_none()


def country_of(connection: Connection, club_id: int) -> str:
    """ISO 3166-1 alpha-2: where a phone number without a country code belongs."""
    return str(
        connection.execute(select(_CLUB.c.country).where(_CLUB.c.id == club_id)).scalar_one()
    )
