"""The rehearsal: the club's own channels, led into the catchers instead of the world."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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


@asynccontextmanager
async def rehearsal_channels(
    settings: Settings, caught: CaughtMail
) -> AsyncIterator[tuple[EmailSettings | None, SmsSettings | None]]:
    """The channel settings to open: the club's in `mode: live`, else the catchers'.

    A rehearsal uses the catchers of a running `sampark up`, or has its own while it lasts. Both
    channels can be rehearsed before either is set up.
    """
    if settings.mode == "live":
        yield settings.channels.email, settings.channels.sms
        return
    running = await running_catchers(caught.folder)
    if running is not None:
        yield _email(settings, running), _sms(settings, running)
        return
    async with catchers(caught.folder) as ports:
        yield _email(settings, ports), _sms(settings, ports)


def _email(settings: Settings, ports: CatcherPorts) -> EmailSettings:
    smtp = SmtpSettings(host="127.0.0.1", port=ports.mail, tls="none")
    own = settings.channels.email
    if own is not None:
        return own.model_copy(update={"smtp": smtp})
    sender = formataddr((settings.club.name, DEFAULT_ADDRESS))
    return EmailSettings(from_=sender, reply_to=None, smtp=smtp)


def _sms(settings: Settings, ports: CatcherPorts) -> TwilioSettings:
    own = settings.channels.sms
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
