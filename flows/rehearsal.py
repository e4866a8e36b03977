"""The rehearsal: the club's own channels, led into the catchers instead of the world."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.utils import formataddr

from pydantic import HttpUrl, SecretStr

from crm_messaging.channels.limits import Rate
from crm_messaging.channels.settings import EmailSettings, SmsSettings
from crm_messaging.channels.sms_settings import TwilioSettings
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.rehearsal.caught import CaughtMail
from crm_messaging.rehearsal.running import CatcherPorts, catchers, running_catchers
from flows.settings import Settings

DEFAULT_ADDRESS = "rehearsal@club.example"


@dataclass(frozen=True)
class WaysOut:
    """The settings of the channels to open."""

    email: EmailSettings | None
    sms: SmsSettings | None
    messages: Mapping[str, SmsSettings]

    def limits(self) -> dict[str, Rate | None]:
        """How fast each channel may be used."""
        return {
            "email": self.email.limits if self.email else None,
            "sms": self.sms.limits if self.sms else None,
            **{name: one.limits for name, one in self.messages.items()},
        }


@asynccontextmanager
async def rehearsal_channels(settings: Settings, caught: CaughtMail) -> AsyncIterator[WaysOut]:
    """The channel settings to open: the club's in `mode: live`, else the catchers'.

    A rehearsal uses the catchers of a running `sampark up`, or has its own while it lasts. Both
    channels can be rehearsed before either is set up.
    """
    if settings.mode == "live":
        yield WaysOut(settings.channels.email, settings.channels.sms, settings.channels.messages)
        return
    running = await running_catchers(caught.folder)
    if running is not None:
        yield _into(settings, running)
        return
    async with catchers(caught.folder) as ports:
        yield _into(settings, ports)


def _into(settings: Settings, ports: CatcherPorts) -> WaysOut:
    """Messengers are caught as text messages are."""
    messages = settings.channels.messages
    return WaysOut(
        _email(settings, ports),
        _text_catcher(settings, settings.channels.sms, ports),
        {name: _text_catcher(settings, one, ports) for name, one in messages.items()},
    )


def _email(settings: Settings, ports: CatcherPorts) -> EmailSettings:
    smtp = SmtpSettings(host="127.0.0.1", port=ports.mail, tls="none")
    own = settings.channels.email
    if own is not None:
        return own.model_copy(update={"smtp": smtp})
    sender = formataddr((settings.club.name, DEFAULT_ADDRESS))
    return EmailSettings(from_=sender, reply_to=None, smtp=smtp)


def _text_catcher(
    settings: Settings, own: SmsSettings | None, ports: CatcherPorts
) -> TwilioSettings:
    return TwilioSettings(
        provider="twilio",
        from_=(own.from_ if own else "") or settings.club.phone or settings.club.name,
        account="rehearsal",
        token=SecretStr("rehearsal"),
        base_url=HttpUrl(ports.sms_url),
        status_callback=None,
        limits=own.limits if own else Rate(),
        dlt=own.dlt if own else None,
    )
