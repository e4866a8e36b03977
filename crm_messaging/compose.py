"""From a claimed touchpoint to a finished message: template, values, addresses, bytes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from crm_messaging.channels.settings import EmailSettings
from crm_messaging.compiled import Compiled, CompiledSms
from crm_messaging.dkim_signing import DkimSigner
from crm_messaging.dlt import DltSettings, tags_for
from crm_messaging.links import Purpose
from crm_messaging.message import Outgoing, OutgoingEmail, OutgoingSms
from crm_messaging.message_fields import COUPON, LINK_FIELDS, LINKS
from crm_messaging.message_links import MessageLinks
from crm_messaging.mime import Mailbox, Sign, build_email, message_id_for
from crm_messaging.render import render_for_wire, render_sms, values_for
from crm_messaging.webhooks.carried import fields_for
from crm_store.catalogue.field import Catalogue
from crm_store.sending import TopicRule
from crm_store.touchpoints import Claimed

NAME_FIELDS = ("customer.first_name", "customer.last_name")
"""What a message needs beside the fields of its template: the name beside the address."""


@dataclass(frozen=True)
class Sender:
    """Who the club's e-mails come from."""

    mailbox: Mailbox
    headers: Mapping[str, str] = field(default_factory=dict)
    sign: Sign | None = None
    reporters: Sequence[str] = ()
    """Providers who report on the messages: each message tells them its Message-ID."""

    @classmethod
    def of(
        cls, email: EmailSettings, folder: Path = Path(), reporters: Sequence[str] = ()
    ) -> "Sender":
        """As `channels.email` in club.yaml says; a key's file is looked for from `folder`.

        Raises `SamparkError` when the key cannot be used.
        """
        headers = {"Reply-To": email.reply_to} if email.reply_to else {}
        sign = DkimSigner.of(email.dkim, folder) if email.dkim else None
        return cls(Mailbox(*parseaddr(email.from_)), headers, sign, tuple(reporters))

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


def compose(
    touchpoint: Claimed,
    compiled: Compiled,
    row: Mapping[str, Any],
    *,
    address: str,
    language: str,
    catalogue: Catalogue,
    sender: Sender | None,
    rule: TopicRule,
    links: MessageLinks | None = None,
    counted: Sequence[int] = (),
    dlt: DltSettings | None = None,
) -> Outgoing:
    """The finished message of a touchpoint. Same touchpoint, same values: same bytes.

    `counted` are the ids of the links that `compiled` has its counted links for.

    Raises `RenderError`, `BadAddress` and `NotRegistered`; no text of theirs holds anything
    personal.
    """
    if COUPON in compiled.fields:
        row = {**row, COUPON: touchpoint.coupon}
    sent = touchpoint.queued_at
    unsubscribe = None
    if links:
        holder = links.holder(touchpoint.id, touchpoint.channel, address)
        if not rule.transactional:
            unsubscribe = links.url(Purpose.UNSUBSCRIBE, holder, sent)
        if not compiled.fields.isdisjoint(LINK_FIELDS):
            row = {**row, **links.values(compiled.fields, holder, sent, unsubscribe)}
    values = values_for(row, language, catalogue)
    if links and counted:
        values.setdefault(LINKS, {}).update(links.clicks(counted, touchpoint.id))
    message_id = touchpoint.message_id
    if isinstance(compiled, CompiledSms):
        body = render_sms(compiled, values)
        tags = tags_for(body, address, compiled.dlt, dlt)
        return OutgoingSms(touchpoint.id, message_id, address, body, tags)
    if sender is None:
        raise LookupError("an e-mail step was queued, but the club has no e-mail channel")
    names = (row[name] for name in NAME_FIELDS)
    list_fields: Sequence[str] = ()
    if links and unsubscribe:
        list_fields = links.list_fields(rule.topic, sender.domain, touchpoint.id, unsubscribe)
    carried = fields_for(sender.reporters, message_id)
    letter = build_email(
        render_for_wire(compiled, values),
        sender=sender.mailbox,
        recipient=Mailbox(" ".join(filter(None, names)), address),
        message_id=message_id,
        date=sent,
        headers=sender.headers,
        list_fields=[*list_fields, *carried],
        sign=sender.sign,
    )
    came_from = (links.sender(touchpoint.id) if links else None) or sender.mailbox.address
    return OutgoingEmail(touchpoint.id, message_id, came_from, address, letter)
