"""The customer, the campaign or the event that a person means."""

from collections.abc import Iterable

from sqlalchemy import Connection

from crm_store.addresses import AddressError, normalise_email, normalise_phone
from crm_store.customers import get_customer
from crm_store.errors import UnknownName
from crm_store.event_names import RECORDED_HERE, TOLD_AFTERWARDS
from crm_store.events import is_recorded
from flows.project import Project
from triggers.definition import CampaignDefinition
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


def refuse_unknown_event(connection: Connection, project: Project, name: str) -> None:
    """Raise `UnknownName` for an event that never came, and that no campaign waits for."""
    definitions = [one.definition for one in project.check() if one.definition]
    goals = {one.goal.event for one in definitions if one.goal}
    known = goals.union(RECORDED_HERE, TOLD_AFTERWARDS, *map(events_of, definitions))
    if name not in known and not is_recorded(connection, name):
        raise UnknownName(f"No event {name} was ever recorded.", choose_from(name, known))


def events_of(definition: CampaignDefinition) -> Iterable[str]:
    """The events that start or end a campaign."""
    listens_to = definition.trigger.listens_to
    return (*definition.exit_on, *([listens_to] if listens_to else []))
