"""From a claimed touchpoint to a finished message: template, values, addresses, bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from crm_messaging.channels.settings import EmailSettings
from crm_messaging.club_copy import CLUB, club_copy, is_of_club
from crm_messaging.compiled import Compiled, CompiledEmail, CompiledSms
from crm_messaging.dkim_signing import DkimSigner
from crm_messaging.dlt import DltSettings, tags_for
from crm_messaging.links import Purpose
from crm_messaging.message import Outgoing, OutgoingEmail, OutgoingSms
from crm_messaging.message_fields import COUPON, LINK_FIELDS, LINKS
from crm_messaging.message_links import MessageLinks, PrintedLinks
from crm_messaging.mime import Mailbox, Sign, build_email, header_field, message_id_for
from crm_messaging.render import columns_of, render_for_wire, render_sms, values_of
from crm_messaging.webhooks.carried import fields_for
from crm_messaging.wire_text import WireParts
from crm_store.catalogue.field import Catalogue
from crm_store.sending import TopicRule
from crm_store.touchpoints import Claimed

NAME_FIELDS = ("customer.first_name", "customer.last_name")
"""What a message needs beside the fields of its template: the name beside the address."""


@dataclass(frozen=True)
class Sender:
    """Who the club's e-mails come from."""

    mailbox: Mailbox
    fields: Sequence[str] = ()
    """More header fields of each message, folded."""
    sign: Sign | None = None
    reporters: Sequence[str] = ()
    """Providers who report on the messages: each message tells them its Message-ID."""

    @classmethod
    def of(
        cls, email: EmailSettings, folder: Path = Path(), reporters: Sequence[str] = ()
    ) -> "Sender":
        """As `channels.email` in club.yaml says; a key's file is looked for from `folder`.

        Raises `SamparkError` when the key, or an address, cannot be used.
        """
        fields = [header_field("Reply-To", email.reply_to)] if email.reply_to else []
        sign = DkimSigner.of(email.dkim, folder) if email.dkim else None
        return cls(Mailbox(*parseaddr(email.from_)), fields, sign, tuple(reporters))

    @property
    def domain(self) -> str:
        """What stands right of the @ in our Message-IDs."""
        return self.mailbox.address.rpartition("@")[2]


def message_id_of(
    sender: Sender | None, campaign: str, customer_id: int, occurrence: str, step: str, channel: str
) -> str:
    """A touchpoint's Message-ID: made of its unique key and the sender's domain alone.

    The row has it from the beginning, so that one which is in doubt can be looked for, and one
    that is sent again keeps it.
    """
    domain = sender.domain if sender and channel == "email" else f"{channel}.invalid"
    return message_id_for(f"{campaign}|{customer_id}|{occurrence}|{step}|{channel}", domain)


class Composer:
    """Makes the messages of one template to one club's customers; what they share is found once."""

    def __init__(
        self,
        compiled: Compiled,
        language: str,
        club: Mapping[str, Any],
        *,
        catalogue: Catalogue,
        sender: Sender | None,
        rule: TopicRule,
        links: MessageLinks | None = None,
        counted: Sequence[int] = (),
        dlt: DltSettings | None = None,
    ) -> None:
        """`language` is the one the messages are to be written in, for dates and amounts.

        `club` holds the values of the club's own fields that the template prints.

        `counted` are the ids of the links that `compiled` has its counted links for.
        """
        in_row = sorted(compiled.fields - LINK_FIELDS)
        of_club = tuple(filter(is_of_club, in_row))
        values = values_of(columns_of(of_club, catalogue), club, language)
        self._club: Mapping[str, Any] = values.get(CLUB, {})
        self._columns = columns_of(tuple(n for n in in_row if n not in of_club), catalogue)
        self._language = language
        self._compiled = compiled
        if isinstance(compiled, CompiledEmail):
            self._compiled = club_copy(compiled, values)
        self._has_coupon = COUPON in compiled.fields
        self._sender, self._rule, self._dlt = sender, rule, dlt
        self._links = links
        self._printed = PrintedLinks.of(compiled.fields, counted)

    def compose(self, touchpoint: Claimed, row: Mapping[str, Any], address: str) -> Outgoing:
        """The finished message of a touchpoint. Same touchpoint, same values: same bytes.

        Raises `RenderError`, `BadAddress` and `NotRegistered`; no text of theirs holds anything
        personal.
        """
        if self._has_coupon:
            row = {**row, COUPON: touchpoint.coupon}
        values = values_of(self._columns, row, self._language)
        values[CLUB] = self._club
        links, sent = self._links, touchpoint.queued_at
        unsubscribe = None
        if links:
            holder = links.holder(touchpoint.id, touchpoint.channel, address)
            if not self._rule.transactional:
                unsubscribe = links.url(Purpose.UNSUBSCRIBE, holder, sent)
            values[LINKS] = links.values(self._printed, holder, sent, unsubscribe)
        compiled = self._compiled
        if isinstance(compiled, CompiledSms):
            body = render_sms(compiled, values)
            tags = tags_for(body, address, compiled.dlt, self._dlt)
            return OutgoingSms(touchpoint.id, touchpoint.message_id, address, body, tags)
        tame = links.tame_in(values[LINKS]) if links else {}
        parts = render_for_wire(compiled, values, tame)
        return self._email(touchpoint, row, address, parts, unsubscribe)

    def _email(
        self,
        touchpoint: Claimed,
        row: Mapping[str, Any],
        address: str,
        parts: WireParts,
        unsubscribe: str | None,
    ) -> OutgoingEmail:
        sender, links, message_id = self._sender, self._links, touchpoint.message_id
        if sender is None:
            raise LookupError("an e-mail step was queued, but the club has no e-mail channel")
        fields = [*sender.fields]
        if links and unsubscribe:
            topic = self._rule.topic
            fields += links.list_fields(topic, sender.domain, touchpoint.id, unsubscribe)
        if sender.reporters:
            fields += fields_for(sender.reporters, message_id)
        name = " ".join([row[name] for name in NAME_FIELDS if row[name]])
        letter = build_email(
            parts,
            sender=sender.mailbox,
            recipient=Mailbox(name, address),
            message_id=message_id,
            date=touchpoint.queued_at,
            fields=fields,
            sign=sender.sign,
        )
        came_from = (links.sender(touchpoint.id) if links else None) or sender.mailbox.address
        return OutgoingEmail(touchpoint.id, message_id, came_from, address, letter)
