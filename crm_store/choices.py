"""What a customer gets on each channel, topic by topic: the rows of her preference centre."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_store.consents import standing
from crm_store.models.consent import ANY_TOPIC, Reach
from crm_store.suppressions import suppressions


@dataclass(frozen=True)
class ChannelChoice:
    """One channel: which topics she gets, or that nothing may be sent to her there at all."""

    channel: str
    wanted: Mapping[str, bool]
    closed: bool
    """The address is suppressed, and not by a wish that she could take back."""


def choices_of(
    connection: Connection,
    customer_id: int,
    addresses: Mapping[str, str],
    topics: Sequence[str],
    opt_in: frozenset[str],
) -> list[ChannelChoice]:
    """By channel in `addresses`: what reaches her now, as the gate would answer.

    Where a channel is in `opt_in`, what she has not answered is off; elsewhere it is on.
    """
    said = standing(connection, customer_id)
    closed = suppressions(connection, addresses.items())
    choices = []
    for channel, address in addresses.items():
        found = closed.get((channel, address))
        overall = said.get((channel, ANY_TOPIC))
        is_out = overall is False or found is not None
        unsaid = overall is True or channel not in opt_in
        wanted = {one: not is_out and said.get((channel, one), unsaid) for one in topics}
        is_closed = found is not None and found.reach == Reach.EVERYTHING and not found.is_hers
        choices.append(ChannelChoice(channel, wanted, is_closed))
    return choices
