"""The club's ways out: the `channels:` block of club.yaml.

Passwords and tokens have a field here and never a place in the file; they come from the
environment.
"""

import re
from email.utils import parseaddr
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

from crm_messaging.channels.dkim_settings import DkimSettings
from crm_messaging.channels.gateway_settings import GatewaySettings, MessageSettings
from crm_messaging.channels.limits import EmailLimits
from crm_messaging.channels.sms_settings import KannelSettings, TwilioSettings
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.channels.smtp_syntax import fits_an_envelope

SmsSettings = Annotated[
    TwilioSettings | KannelSettings | GatewaySettings, Field(discriminator="provider")
]

NOT_A_MESSENGER = ("email", "sms", "message", "task", "webhook", "update")
"""What campaigns mean something else by."""


class EmailSettings(BaseModel):
    """Who the e-mails come from, and the server that takes them."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: str = Field(alias="from", description="The sender: Lotus Fitness <hello@lotus.example>.")
    reply_to: str | None = Field(None, description="Where answers go, if not to `from`.")
    return_path: str | None = Field(
        None,
        description="The mailbox that bounces go to. It has to take bounce+anything@ as well.",
    )
    smtp: SmtpSettings
    limits: EmailLimits = EmailLimits()
    dkim: DkimSettings | None = Field(
        None, description="Sign each e-mail here; leave it out where the mail server signs."
    )

    @field_validator("from_", "reply_to", "return_path")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        if value is not None and not fits_an_envelope(parseaddr(value)[1]):
            raise ValueError("write it as hello@club.example or Club <hello@club.example>")
        return value

    @field_validator("return_path")
    @classmethod
    def _bare(cls, value: str | None) -> str | None:
        if value is not None and parseaddr(value)[1] != value:
            raise ValueError("write it as bounce@club.example, without a name")
        return value

    @property
    def address(self) -> str:
        """The bare address of `from`."""
        return parseaddr(self.from_)[1]


class ChannelsSettings(BaseModel):
    """Each channel the club has; a missing one is a channel no campaign can use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    email: EmailSettings | None = None
    sms: SmsSettings | None = None
    messages: dict[str, MessageSettings] = Field(
        default_factory=dict,
        description="Messengers by the name that campaigns use: {whatsapp: {…}}.",
    )

    @field_validator("messages")
    @classmethod
    def _names_are_free(cls, messages: dict[str, MessageSettings]) -> dict[str, MessageSettings]:
        for name in messages:
            # It is a part of the names of environment variables too.
            if not re.fullmatch("[a-z][a-z0-9]{0,31}", name):
                raise ValueError(
                    f"`{name[:40]}` is no channel's name: use small letters and digits"
                )
            if name in NOT_A_MESSENGER:
                raise ValueError(f"`{name}` is a word of its own; choose another name")
        return messages

    @property
    def address_fields(self) -> tuple[tuple[str, str], ...]:
        """The channels whose addresses stand in a custom field, each with the field's key."""
        fields = ((name, one.address_field) for name, one in self.messages.items())
        return tuple((name, field) for name, field in fields if field is not None)
