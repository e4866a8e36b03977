"""How to reach the club's SMS provider: the `sms:` block of club.yaml."""

import re
from typing import Annotated, Literal

from pydantic import (
    AnyHttpUrl,
    BaseModel,
    ConfigDict,
    Field,
    HttpUrl,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
)

from crm_messaging.channels.limits import Rate

_URL = TypeAdapter(AnyHttpUrl)


class HttpLimits(BaseModel):
    """What every HTTP provider shares. Times are in seconds."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    connections: int = Field(16, ge=1, le=1000, description="Requests at the same time.")
    connect_timeout: float = Field(10, gt=0, description="Wait for a connection.")
    reply_timeout: float = Field(60, gt=0, description="Wait for the answer to a request.")
    limits: Rate = Rate()


class TwilioSettings(HttpLimits):
    """Twilio, or a provider that speaks its Messages.json."""

    provider: Literal["twilio"]
    from_: str = Field(alias="from", description="Sender: a number or a name it knows.")
    account: str = Field(pattern=r"^\w+$", description="Account SID: it starts with AC.")
    token: SecretStr | None = Field(None, description="Comes from the environment.")
    base_url: HttpUrl = Field(HttpUrl("https://api.twilio.com"), description="Of the API.")
    status_callback: HttpUrl | None = Field(
        None, description="Where the provider reports deliveries."
    )

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class GatewaySettings(HttpLimits):
    """Any HTTP gateway. `{to}`, `{text}`, `{from}` and `{id}` stand for the message's values."""

    provider: Literal["gateway"]
    from_: str = Field("", alias="from", description="Sender, for `{from}`.")
    method: Literal["GET", "POST", "PUT"] = "POST"
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
    message_id: str | None = Field(
        None, description="Where the answer's JSON holds the reference: `messages.0.id`."
    )

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

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


SmsSettings = Annotated[TwilioSettings | GatewaySettings, Field(discriminator="provider")]
