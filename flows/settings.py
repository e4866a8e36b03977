"""The settings of a club: everything that club.yaml, `.env` and the environment may say.

`flows.reading_settings` reads them.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)

from crm_messaging.bounces.settings import BouncesSettings
from crm_messaging.channels.call_settings import CallSettings
from crm_messaging.channels.settings import ChannelsSettings
from crm_messaging.webhooks.settings import WebhooksSettings
from crm_store.catalogue.field import Catalogue, FieldType
from crm_store.catalogue.standard import (
    CUSTOM_EXAMPLES,
    STANDARD_FIELDS,
    catalogue_of,
    custom_field,
)
from crm_store.imports.aliases import PERMISSION
from crm_store.keys import MIN_LENGTH, KeyRing, NoSecretKey
from flows.leads.settings import Forms
from triggers.names import spelt
from triggers.offsets import Duration
from triggers.zones import ZoneName

_BASE_URL = re.compile(r"https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9._~/-]*)?")
_FIELD_KEY = re.compile(r"[a-z][a-z0-9_]{0,63}")
_TAKEN = {
    *(
        one.name.removeprefix("customer.")
        for one in STANDARD_FIELDS
        if one.name.startswith("customer.")
    ),
    *PERMISSION,
}
"""Columns of a customers file: of two with one name, one would be read as the other."""


class _Strict(BaseModel):
    model_config: ClassVar[ConfigDict] = ConfigDict(extra="forbid", frozen=True)


class ClubFacts(_Strict):
    """Who the club is: what `club.*` means in a template."""

    code: str = Field("club", description="A short stable name; a chain has one per club.")
    name: str = Field(description="As customers know it.")
    timezone: ZoneName = Field(description="IANA name, such as Asia/Kolkata.")
    country: Annotated[
        str,
        AfterValidator(spelt("a country", "[A-Z]{2}", "write its two letters, such as IN or GB")),
    ] = Field(description="ISO 3166-1 alpha-2.")
    languages: tuple[str, ...] = Field(min_length=1, description="The first is the club's own.")
    currency: Annotated[
        str,
        AfterValidator(
            spelt("a currency", "[A-Z]{3}", "write its three letters, such as INR or EUR")
        ),
    ] = Field("INR", description="ISO 4217.")
    website: str = Field("", description="Its address, as messages print it.")
    phone: str = Field("", description="Where customers reach it.")
    address: str = Field("", description="Postal address; messages to many have to name it.")
    colour: Annotated[
        str,
        AfterValidator(spelt("a colour", "#[0-9a-fA-F]{6}", 'write it as "#0f6b5c", in quotes')),
    ] = Field("#0f6b5c", description="Of the pages for customers: #rrggbb.")


class CustomFieldSettings(_Strict):
    """A field of the club's own, `custom.<key>`."""

    type: FieldType = Field(
        FieldType.TEXT,
        description="What kind of value it holds.",
        json_schema_extra={"enum": [*CUSTOM_EXAMPLES]},
    )
    label: str = Field("", description="What people call it; else its key.")

    @field_validator("type", mode="before")
    @classmethod
    def _can_be_custom(cls, kind: object) -> object:
        if kind not in [*CUSTOM_EXAMPLES]:
            raise ValueError(
                f"a field of your own cannot be of type {str(kind)[:40]};"
                f" choose from {', '.join(CUSTOM_EXAMPLES)}"
            )
        return kind


class TopicSettings(_Strict):
    """A topic: what a customer can opt out of."""

    title: Mapping[str, str] = Field(
        default_factory=dict, description="What customers read, by language."
    )
    transactional: bool = Field(
        False,
        description="Part of what was bought or asked for: only an opt-out of it keeps it back.",
    )

    def shown(self, name: str, language: str) -> str:
        """Its title in a language; the topic's own `name` where it has none."""
        return self.title.get(language) or name.replace("_", " ").replace("-", " ").capitalize()


class ConsentSettings(_Strict):
    """What has to be agreed before anybody is written to."""

    opt_in: Mapping[str, Literal["single", "double"]] = Field(
        default_factory=dict,
        description="Channels on which only those are written to who agreed; double: by a link.",
    )

    @property
    def double(self) -> frozenset[str]:
        """The channels on which she has to confirm it."""
        return frozenset(channel for channel, how in self.opt_in.items() if how == "double")

    text_version: str = Field("1", description="Kept with each answer; change it with the text.")


class TrackingSettings(_Strict):
    """What is counted of the messages that customers get."""

    clicks: bool = Field(True, description="Links of marketing e-mails lead through our own page.")
    utm: Mapping[Literal["source", "medium", "content", "term"], str] = Field(
        default_factory=dict,
        description="Added to their addresses as utm_source and so on; utm_campaign with them.",
    )


class ConsoleSettings(_Strict):
    """Where the console listens; loopback unless said otherwise."""

    host: str = Field("127.0.0.1", description="The address it listens on.")
    port: int = Field(4290, description="Its port.")


class PublicSettings(_Strict):
    """Where the pages for customers and webhooks listen, and how the internet reaches them."""

    host: str = Field("127.0.0.1", description="The address they listen on.")
    port: int = Field(4280, description="Their port.")
    base_url: str = Field("", description="What links in messages begin with.")
    proxies: tuple[str, ...] = Field(
        ("127.0.0.1",), description="Whose word on a visitor's address is believed."
    )

    @field_validator("base_url")
    @classmethod
    def _is_plain(cls, value: str) -> str:
        if value and not _BASE_URL.fullmatch(value):
            raise ValueError(
                "write it as https://crm.club.example: no `?`, no `#`, no name or password"
            )
        return value.rstrip("/")

    @property
    def url(self) -> str:
        """What links begin with, without a slash at the end."""
        return self.base_url or f"http://{self.host}:{self.port}"


class PrefectSettings(_Strict):
    """The Prefect server: our own on this port, or another's by its API address."""

    port: int = Field(4200, description="The port of our own server.")
    api_url: str | None = Field(
        None, description="Of another's server, such as http://host:4200/api."
    )


class CatcherSettings(_Strict):
    """Where the mail and SMS catchers of a rehearsal listen."""

    smtp_port: int = Field(4225, description="The port of the mail catcher.")
    sms_port: int = Field(4226, description="The port of the catcher of text messages.")


class SweepSettings(_Strict):
    """How often the sweep runs under `up`."""

    every: Duration = Field(timedelta(minutes=5), description="From one sweep to the next.")


class Settings(_Strict):
    """Everything club.yaml may say."""

    club: ClubFacts
    mode: Literal["rehearsal", "live"] = Field(
        "rehearsal",
        description="rehearsal: all runs, into catchers on this machine. live: to the customers.",
    )
    database: str = Field(
        "sqlite:///sampark.db",
        description="Or postgresql://user@host/name; paths from here.",
    )
    plans: tuple[str, ...] = Field((), description="The plans that campaigns may name.")
    pipelines: Mapping[str, tuple[str, ...]] = Field(
        default_factory=dict, description="The stages of each pipeline that campaigns may name."
    )
    topics: Mapping[str, TopicSettings] = Field(
        default_factory=dict, description="What a customer can opt out of, by name."
    )
    consent: ConsentSettings = ConsentSettings()
    tracking: TrackingSettings = TrackingSettings()
    fields: Mapping[str, CustomFieldSettings] = Field(
        default_factory=dict, description="The club's own fields, `custom.<key>`, by key."
    )
    channels: ChannelsSettings = ChannelsSettings()
    calls: CallSettings = CallSettings()
    forms: Forms = Field(
        default_factory=dict, description="Forms and other systems that leads come from, by name."
    )
    secret_key: SecretStr | None = Field(
        None, description="Signs links and hides addresses; `sampark init` makes one."
    )
    secret_key_previous: SecretStr | None = Field(
        None, description="Keys of before, with commas between: links in old messages still work."
    )

    @field_validator("forms", mode="before")
    @classmethod
    def _named_as_a_variable_can(cls, forms: Any) -> Any:
        """`SAMPARK_FORMS__TRIAL_SIGNUP__SECRET` is about `trial-signup`."""
        if not isinstance(forms, dict):
            return forms
        hyphened = {name.replace("-", "_"): name for name in forms if "-" in str(name)}
        for variable, name in hyphened.items():
            if isinstance(secrets := forms.get(variable), dict) and isinstance(forms[name], dict):
                forms = {**forms, name: {**forms[name], **secrets}}
                del forms[variable]
        return forms

    @field_validator("secret_key", "secret_key_previous")
    @classmethod
    def _long_enough(cls, key: SecretStr | None) -> SecretStr | None:
        keys = key.get_secret_value().split(",") if key else []
        if any(len(one.strip()) < MIN_LENGTH for one in keys):
            raise ValueError(f"a secret key has at least {MIN_LENGTH} characters")
        return key

    @field_validator("topics", mode="before")
    @classmethod
    def _a_list_will_do(cls, topics: Any) -> Any:
        if isinstance(topics, list):
            return {str(one): {} for one in topics}
        if isinstance(topics, dict):
            return {name: {} if one is None else one for name, one in topics.items()}
        return topics

    @field_validator("fields")
    @classmethod
    def _keys_are_free(
        cls, fields: Mapping[str, CustomFieldSettings]
    ) -> Mapping[str, CustomFieldSettings]:
        for key in fields:
            if not _FIELD_KEY.fullmatch(key):
                raise ValueError(
                    f"`{key[:40]}` cannot be a field's key; use small letters, digits and _"
                )
            if key in _TAKEN:
                raise ValueError(f"`{key}` is a column of every club's; choose another key")
        return fields

    sweep: SweepSettings = SweepSettings()
    console: ConsoleSettings = ConsoleSettings()
    public: PublicSettings = PublicSettings()
    bounces: BouncesSettings | None = None
    webhooks: WebhooksSettings = WebhooksSettings()
    prefect: PrefectSettings = PrefectSettings()
    catchers: CatcherSettings = CatcherSettings()

    @model_validator(mode="after")
    def _messengers_know_their_fields(self) -> Self:
        for channel, key in self.channels.address_fields:
            if key not in self.fields:
                raise ValueError(
                    f"`channels: messages: {channel}:` finds its addresses in `custom.{key}`, and"
                    f" `fields:` has no `{key}`"
                )
        return self

    @property
    def transactional(self) -> frozenset[str]:
        """The topics that are no marketing."""
        return frozenset(name for name, topic in self.topics.items() if topic.transactional)

    def keys(self) -> KeyRing:
        """The secret key and those before it. Raises `NoSecretKey`."""
        if self.secret_key is None:
            raise NoSecretKey()
        earlier = self.secret_key_previous.get_secret_value() if self.secret_key_previous else ""
        return KeyRing(
            self.secret_key.get_secret_value().strip(),
            [one.strip() for one in earlier.split(",") if one.strip()],
        )

    def custom_dates(self) -> list[str]:
        """The keys of the club's own fields that hold a date."""
        return [key for key, one in self.fields.items() if one.type is FieldType.DATE]

    def catalogue(self) -> Catalogue:
        """The standard fields and the club's own."""
        return catalogue_of(
            custom_field(key, one.type, one.label or key) for key, one in self.fields.items()
        )
