"""How to reach the club's SMS provider: the `sms:` block of club.yaml."""

import re
from decimal import Decimal
from typing import Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    field_validator,
)

from crm_messaging.channels.limits import Rate
from crm_messaging.dlt import DltSettings
from crm_messaging.sms_segments import Header

ANY_COUNTRY = "*"
_URL_WORD = re.compile(r"[A-Za-z0-9_-]{16,200}")


class HttpLimits(BaseModel):
    """What every HTTP provider shares. Times are in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connections: int = Field(16, ge=1, le=1000, description="Requests at the same time.")
    connect_timeout: float = Field(10, gt=0, description="Wait for a connection.")
    reply_timeout: float = Field(60, gt=0, description="Wait for the answer to a request.")
    limits: Rate = Rate()
    hook_secret: SecretStr | None = Field(
        None,
        description="What reports and incoming messages prove themselves with, where their sender"
        " signs nothing. Comes from the environment.",
    )

    @field_validator("hook_secret")
    @classmethod
    def _fits_a_url(cls, secret: SecretStr | None) -> SecretStr | None:
        # Kannel fills in each % of the URL that it calls back.
        if secret is not None and not _URL_WORD.fullmatch(secret.get_secret_value()):
            raise ValueError("use 16 to 200 letters, digits, - and _")
        return secret


class Answers(BaseModel):
    """What a customer is answered who writes a word of opting out or in, or asks for help.

    Empty: nothing. Leave them out where the provider answers by itself.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    stop: str = Field("", max_length=320, description="Once, to who opts out.")
    start: str = Field("", max_length=320, description="To who takes it back.")
    help: str = Field("", max_length=320, description="To who writes HELP or INFO.")


class SmsOffer(HttpLimits):
    """What every SMS provider shares."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: str = Field("", alias="from", description="Sender: a number or a name it knows.")
    prices: dict[str, Decimal] = Field(
        default_factory=dict,
        description="Of one segment by country, in the club's currency: {IN: 0.20, '*': 6}.",
    )
    segment_header: Header = Field(
        6, description="Octets that the provider puts before each part of a long message."
    )
    dlt: DltSettings | None = Field(None, description="India: what is registered at an operator.")
    answers: Answers = Answers()

    @field_validator("prices")
    @classmethod
    def _by_country(cls, prices: dict[str, Decimal]) -> dict[str, Decimal]:
        for country, price in prices.items():
            if country != ANY_COUNTRY and not re.fullmatch("[A-Z]{2}", country):
                raise ValueError(f"`{country}` is no country: write IN, RU, or * for all others")
            if not price.is_finite() or price < 0:
                raise ValueError(f"the price for {country} is no amount")
        return prices


class TwilioSettings(SmsOffer):
    """Twilio, or a provider that speaks its Messages.json."""

    provider: Literal["twilio"]
    from_: str = Field(alias="from", description="Sender: a number or a name it knows.")
    account: str = Field(pattern=r"^\w+$", description="Account SID: it starts with AC.")
    token: SecretStr | None = Field(None, description="Comes from the environment.")
    base_url: HttpUrl = Field(HttpUrl("https://api.twilio.com"), description="Of the API.")
    status_callback: HttpUrl | None = Field(
        None, description="Where it reports deliveries, if not to our own page for it."
    )


class KannelSettings(SmsOffer):
    """A Kannel of your own: its smsbox's `sendsms`."""

    provider: Literal["kannel"]
    url: HttpUrl = Field(
        HttpUrl("http://127.0.0.1:13013/cgi-bin/sendsms"), description="Of smsbox."
    )
    username: str = Field(
        pattern=r"^[!-~]+$", description="Of a `sendsms-user` group in Kannel's configuration."
    )
    password: SecretStr | None = Field(None, description="Comes from the environment.")
    smsc: str | None = Field(None, pattern=r"^[!-~]+$", description="The `smsc-id` to send by.")
    status_callback: HttpUrl | None = Field(
        None, description="Where it reports deliveries, if not to our own page for it."
    )

    @field_validator("from_")
    @classmethod
    def _fits_a_header(cls, sender: str) -> str:
        if not (sender.isascii() and sender.isprintable()):
            raise ValueError("a sender is a number, or a name of plain letters and digits")
        return sender
