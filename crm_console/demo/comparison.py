"""The ledger against the catchers: the same messages, each exactly once."""

from collections import Counter
from dataclasses import dataclass

from sqlalchemy import Connection

from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.reading import CaughtEmail
from crm_store.history import accepted_references


@dataclass(frozen=True)
class Comparison:
    """Messages by their id: what the ledger calls accepted, and what was caught."""

    accepted: Counter[str]
    caught: Counter[str]

    @property
    def agrees(self) -> bool:
        """The same ids, each once."""
        return self.accepted == self.caught and all(n == 1 for n in self.caught.values())

    @property
    def lost(self) -> int:
        """Accepted, and not caught."""
        return (self.accepted - self.caught).total()

    @property
    def unaccounted(self) -> int:
        """Caught, and not accepted: a second copy among them."""
        return (self.caught - self.accepted).total()


def compare(connection: Connection, club_id: int, caught: CaughtMail) -> Comparison:
    """Compare by Message-ID for e-mail, by the provider's reference for SMS."""
    accepted = Counter(
        message_id if channel == "email" else str(reference)
        for channel, message_id, reference in accepted_references(connection, club_id)
    )
    found: Counter[str] = Counter()
    for one in caught.newest(limit=caught.count() or 1):
        message = caught.get(one.key)
        if isinstance(message, CaughtEmail):
            found[dict(message.headers).get("Message-ID", "")] += 1
        elif message is not None:
            found[message.sid] += 1
    return Comparison(accepted, found)
