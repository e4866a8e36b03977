"""Any HTTP gateway, described in club.yaml: its request, its answers, and what it tells us."""

import re
from typing import Literal

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from crm_messaging.channels.sms_settings import SmsOffer
from crm_messaging.feedback import Verdict

PLACEHOLDERS = ("to", "digits", "text", "from", "id", "unicode", "entity", "template", "secret")
"""What a request may hold in braces: the number with and without its plus, the text, the sender,
our own id of the message, 1 where the text needs UCS-2 (else 0), India's DLT ids, and the secret,
for gateways that do not take it in a header."""

_URL = TypeAdapter(AnyHttpUrl)


def _is_pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"this is no regular expression: {error}") from None
    return text


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Reply(_Described):
    """What one kind of answer means, whatever its status code."""

    at: str | None = Field(
        None, description="Where to look in its JSON: `error.code`. Left out: the whole text."
    )
    matches: str = Field(min_length=1, description="A regular expression, found anywhere there.")
    means: Literal["accepted", "later", "never"] = Field(
        description="`later`: not taken, try again. `never`: refused for good."
    )

    _pattern = field_validator("matches")(_is_pattern)


class Reports(_Described):
    """Where a delivery report holds what; a report may be JSON, a form or a URL's parameters."""

    each: str | None = Field(None, description="Where a list of reports stands: `results`.")
    reference: str | None = Field(None, description="The gateway's id: the one of `message_id`.")
    id: str | None = Field(None, description="Our own id, where the request sent `{id}`.")
    status: str = Field(description="What became of the message.")
    statuses: dict[str, Verdict] = Field(
        min_length=1,
        description="{DELIVRD: delivered, EXPIRED: failed, UNKNOWN_SUBSCRIBER: hard_bounce}."
        " Others are passed over.",
    )
    code: str | None = Field(None, description="The gateway's error code.")

    @model_validator(mode="after")
    def _names_the_message(self) -> "Reports":
        if self.reference is None and self.id is None:
            raise ValueError("name `reference` or `id`: a report is about a message")
        return self


class Incoming(_Described):
    """Where an incoming text message holds what."""

    each: str | None = Field(None, description="Where a list of messages stands: `messages`.")
    from_: str = Field(alias="from", description="Who wrote it.")
    to: str | None = Field(None, description="The number it was written to.")
    text: str = Field(description="The text.")
    id: str | None = Field(
        None, description="The gateway's id: with it the same message told twice is one."
    )


class GatewaySettings(SmsOffer):
    """Any HTTP gateway. Words in braces stand for the message's values."""

    provider: Literal["gateway"]
    method: Literal["GET", "POST", "PUT"] = Field("POST", description="Of the HTTP request.")
    url: str = Field(pattern=r"^https?://", description="May hold placeholders, then quoted.")
    headers: dict[str, str] = Field(default_factory=dict, description="May hold placeholders.")
    query: dict[str, str] = Field(default_factory=dict, description="URL parameters.")
    form: dict[str, str] | None = Field(None, description="Form fields of the body.")
    body: dict[str, object] | None = Field(None, description="JSON of the body, at any depth.")
    secret_header: str = Field("Authorization", description="The header that carries the secret.")
    secret: SecretStr | None = Field(None, description="Comes from the environment.")
    success: list[int] = Field(
        default=[200, 201, 202], min_length=1, description="Status codes that mean: taken."
    )
    replies: tuple[Reply, ...] = Field(
        (), description="Answers that mean something else; the first that fits holds."
    )
    message_id: str | None = Field(
        None, description="Where the answer's JSON holds the reference: `messages.0.id`."
    )
    message_id_pattern: str | None = Field(
        None, description="Where a plain text holds it: a regular expression with one group."
    )
    reports: Reports | None = Field(None, description="How it reports deliveries.")
    incoming: Incoming | None = Field(None, description="How it passes on what customers write.")

    @property
    def places_secret(self) -> bool:
        """Whether the request says itself where the secret stands."""
        parts = (self.url, self.headers, self.query, self.form, self.body)
        return "{secret}" in str(parts)

    @field_validator("message_id_pattern")
    @classmethod
    def _one_group(cls, pattern: str | None) -> str | None:
        if pattern is not None and re.compile(_is_pattern(pattern)).groups != 1:
            raise ValueError("put what is the reference into one pair of parentheses: `id=(\\d+)`")
        return pattern

    @field_validator("url")
    @classmethod
    def _usable(cls, url: str) -> str:
        if not url.isprintable():
            raise ValueError("this is no usable URL: it holds a character that cannot be seen")
        try:
            _URL.validate_python(re.sub(r"\{\w+\}", "x", url))
        except ValidationError as error:
            reason = error.errors()[0]["ctx"]["error"]
            raise ValueError(f"this is no usable URL: {reason}") from None
        return url


class MessageSettings(GatewaySettings):
    """A messenger, such as WhatsApp or Telegram, through a provider's HTTP gateway."""

    to: str = Field(
        "phone",
        pattern=r"^(phone|custom\.[a-z][a-z0-9_]{0,63})$",
        description="Where its address of a customer stands: phone, or custom.telegram_id.",
    )

    @property
    def address_field(self) -> str | None:
        """The key of the custom field that holds the address; `None` for the phone number."""
        return self.to.removeprefix("custom.") if self.to != "phone" else None
