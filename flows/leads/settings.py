"""Where leads come in: the `forms:` block of club.yaml. Secrets come from the environment."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from triggers.names import FormName


class _Block(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FormConsent(_Block):
    """What a person agrees to in a form, and where the answer stands."""

    text: str = Field(min_length=1, description="The words that are agreed to; kept as the proof.")
    version: str = Field("1", description="Change it with the words.")
    channels: tuple[str, ...] = Field(("email",), min_length=1, description="Agreed to for these.")
    topic: str = Field("*", description="A topic of the club, or `*` for all of them.")
    heading: str = Field("consent", description="The heading of the answer; yes, on, 1 agree.")


class _Form(_Block):
    map: Mapping[str, str] = Field(
        default_factory=dict,
        description="A customer's column, and the sender's heading for it: {first_name: Name}.",
    )
    source: str | None = Field(None, description="Where these leads come from: instagram.")
    consent: FormConsent | None = None
    secret: SecretStr | None = Field(None, description="Comes from the environment.")


class HostedForm(_Form):
    """A page of our own, at `/in/<name>`."""

    kind: Literal["hosted"]
    title: str = Field(min_length=1, description="What stands above it.")
    text: str = Field("", description="What stands below the title.")
    fields: tuple[str, ...] = Field(
        ("first_name", "phone", "email"), min_length=1, description="What is asked, in this order."
    )
    required: tuple[str, ...] = Field(
        ("first_name", "phone"), description="Those of them without which it cannot be sent."
    )
    button: str = Field("", description="What the button says; else the language's own word.")
    thanks: str = Field("", description="What is said once it is sent; else in the language's own.")


class PostedForm(_Form):
    """A form elsewhere, which posts here."""

    kind: Literal["typeform", "google_forms", "tilda", "google_ads"]


class JsonForm(_Form):
    """Any sender of JSON or of an ordinary form. `map` holds paths, such as `contact.phones.0`."""

    kind: Literal["json"]
    id: str | None = Field(None, description="The path of the sender's own id of a submission.")


class MetaForm(_Form):
    """Meta lead ads. They tell an id only; the answers are asked for with the page's token."""

    kind: Literal["meta"]
    token: SecretStr | None = Field(None, description="The page's access token.")
    verify_token: SecretStr | None = Field(None, description="What Meta is told to prove itself.")
    api: str = Field(
        "https://graph.facebook.com/v21.0", pattern="^https?://", description="Where it is asked."
    )


class CrmForm(_Form):
    """A CRM that tells of its contacts and of how far they are."""

    kind: Literal["hubspot", "pipedrive"]
    pipeline: str | None = Field(None, description="The pipeline that the stages belong to.")
    stages: Mapping[str, str] = Field(
        default_factory=dict, description="The CRM's id of a stage, and ours: {'3': trial_booked}."
    )


FormSettings = Annotated[
    HostedForm | PostedForm | JsonForm | MetaForm | CrmForm, Field(discriminator="kind")
]
Forms = Mapping[FormName, FormSettings]
