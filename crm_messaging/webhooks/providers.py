"""The providers whose reports can be taken: for each, how it proves itself and how it is read."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from pydantic import BaseModel, SecretStr

from crm_messaging.feedback import Feedback
from crm_messaging.webhooks import brevo, mailgun, postmark, sendgrid, ses, unisender_go
from crm_messaging.webhooks.posted import FORM, Posted
from crm_messaging.webhooks.settings import SendgridWebhook, SesWebhook, WebhooksSettings
from crm_store.errors import EnvironmentUnready

JSON = frozenset({"application/json"})
SHORTEST_SECRET = 16
"""Signs. A shorter one can be guessed by whoever may try for years."""


@dataclass(frozen=True)
class Proof:
    """What a request is checked against."""

    settings: BaseModel
    secret: str
    """The token or secret of the block; empty where the provider signs with a key of its own."""
    certificate: bytes
    """Of `Provider.certificate_url`; empty where there is none."""
    now: datetime


@dataclass(frozen=True)
class Provider:
    """One provider. `verify` raises `Forged`; whatever reads a body may raise `Malformed`."""

    name: str
    title: str
    setting: str
    """Which of its settings is a secret; empty when none is."""
    content_types: frozenset[str]
    verify: Callable[[Posted, Proof], None]
    read: Callable[[Posted], list[Feedback]]
    source_id: Callable[[Posted], str] = Posted.digest
    certificate_url: Callable[[Posted, BaseModel], str] | None = None
    """Where the certificate lies with whose key a request was signed. Raises `Forged`."""
    kept_headers: tuple[str, ...] = ("content-type",)


PROVIDERS: Mapping[str, Provider] = {
    one.name: one
    for one in (
        Provider(
            name="ses",
            title="Amazon SES",
            setting="",
            # SNS calls its JSON plain text.
            content_types=JSON | {"text/plain"},
            verify=lambda posted, proof: ses.verify(posted, proof.certificate),
            read=ses.read,
            source_id=ses.source_id,
            certificate_url=lambda posted, settings: ses.certificate_url(
                posted, cast(SesWebhook, settings)
            ),
        ),
        Provider(
            name="sendgrid",
            title="SendGrid",
            setting="",
            content_types=JSON,
            verify=lambda posted, proof: sendgrid.verify(
                posted, cast(SendgridWebhook, proof.settings)
            ),
            read=sendgrid.read,
        ),
        Provider(
            name="postmark",
            title="Postmark",
            setting="token",
            content_types=JSON,
            verify=lambda posted, proof: posted.must_know(proof.secret),
            read=postmark.read,
        ),
        Provider(
            name="mailgun",
            title="Mailgun",
            setting="secret",
            content_types=JSON | {FORM},
            verify=lambda posted, proof: mailgun.verify(posted, proof.secret, proof.now),
            read=mailgun.read,
            source_id=mailgun.source_id,
        ),
        Provider(
            name="brevo",
            title="Brevo",
            setting="token",
            content_types=JSON,
            verify=lambda posted, proof: posted.must_know(proof.secret),
            read=brevo.read,
        ),
        Provider(
            name="unisender_go",
            title="UniSender Go",
            setting="secret",
            content_types=JSON,
            verify=lambda posted, proof: unisender_go.verify(posted, proof.secret),
            read=unisender_go.read,
        ),
    )
}


@dataclass(frozen=True)
class Open:
    """A provider whose reports the club takes."""

    provider: Provider
    settings: BaseModel
    secret: str


def open_providers(settings: WebhooksSettings) -> dict[str, Open]:
    """By name. Raises `EnvironmentUnready` when one lacks its secret: it would let anybody in."""
    opened = {}
    for name, provider in PROVIDERS.items():
        block: BaseModel | None = getattr(settings, name)
        if block is not None:
            opened[name] = Open(provider, block, _secret(provider, block))
    return opened


def _secret(provider: Provider, block: BaseModel) -> str:
    if not provider.setting:
        return ""
    given: SecretStr | None = getattr(block, provider.setting)
    if given is None or len(given.get_secret_value()) < SHORTEST_SECRET:
        variable = f"SAMPARK_WEBHOOKS__{provider.name}__{provider.setting}".upper()
        raise EnvironmentUnready(
            f"The webhook of {provider.title} has no {provider.setting}"
            f" of {SHORTEST_SECRET} signs or more.",
            f"Set {variable} in .env, or {variable}_FILE to a file that holds it.",
        )
    return given.get_secret_value()
