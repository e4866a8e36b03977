"""A text message that a customer wrote, whichever gateway it came through."""

from dataclasses import dataclass

from crm_messaging.reply_words import Wish, wish_of
from crm_store.addresses import AddressError, normalise_phone


@dataclass(frozen=True)
class IncomingText:
    """One text message to the club."""

    channel: str
    sender: str
    """As the gateway writes the number."""
    text: str
    source_id: str | None
    """The gateway's id of it: the same message told twice has the same one. `None` where it has
    none: then each is taken for a new one, for a second STOP must not pass for the first."""
    provider_wish: Wish | None = None
    """What the provider itself has taken it for, and acted upon."""

    @property
    def wish(self) -> Wish | None:
        """What it asks for; the provider may know words of the club's own."""
        return self.provider_wish or wish_of(self.text)


def numbers_of(sender: str, country: str) -> list[str]:
    """The numbers in E.164 that a sender can be: none, one, or two.

    Some gateways leave the plus out; then `6581234567` is a number of Singapore, and in India one
    of India. Who opts out is out under either.
    """
    readings = [sender] if sender.lstrip().startswith("+") else [sender, f"+{sender.lstrip(' 0')}"]
    numbers: dict[str, None] = {}
    for reading in readings:
        try:
            numbers[normalise_phone(reading, country)] = None
        except AddressError:
            continue
    return list(numbers)
