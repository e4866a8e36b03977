"""The customer or the campaign that a person means."""

from sqlalchemy import Connection

from crm_store.addresses import AddressError, normalise_email, normalise_phone
from crm_store.customers import get_customer
from crm_store.errors import UnknownName
from flows.project import Project
from triggers.problems import choose_from


def customer_named(connection: Connection, club_id: int, name: str, country: str) -> int:
    """The id of the customer with this reference, e-mail address or phone number.

    Addresses may be written in any form; a number without a country code belongs to `country`.
    Raises `UnknownName` when there is none, or several.
    """
    try:
        return get_customer(connection, club_id, name)
    except UnknownName:
        try:
            usual = normalise_email(name) if "@" in name else normalise_phone(name, country)
        except AddressError:
            usual = name
        if usual == name:
            raise
    return get_customer(connection, club_id, usual)


def refuse_unknown_campaign(project: Project, name: str | None) -> None:
    """Raise `UnknownName` for a campaign that has no file here, not even a broken one."""
    known = {one.name for one in project.check()}
    if name is not None and name not in known:
        raise UnknownName(f"There is no campaign {name}.", choose_from(name, known))
