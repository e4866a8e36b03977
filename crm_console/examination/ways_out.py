"""The ways out: the catchers of a rehearsal; live, the mail server and the SMS provider."""

import asyncio
import smtplib
import ssl
from collections.abc import Iterator
from urllib.parse import urlsplit

from crm_console.examination.finding import Finding, broken, note, ok
from crm_messaging.channels.gateway_settings import GatewaySettings
from crm_messaging.channels.settings import SmsSettings
from crm_messaging.channels.sms_settings import KannelSettings, TwilioSettings
from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.rehearsal.running import running_catchers
from flows.project import Project

_WAIT_S = 10


def examine_ways_out(project: Project) -> Iterator[Finding]:
    """Whether messages can leave; nothing is sent."""
    if project.settings.mode == "rehearsal":
        yield ok("mode", "rehearsal: nobody is written to; messages go to the catchers")
        running = asyncio.run(running_catchers(project.state_folder / "caught"))
        text = "run under `sampark up`" if running else "start with each sweep"
        yield ok("catchers", text)
        return
    yield note("mode", "live: messages go to the customers")
    yield from _starter_facts(project)
    used = {
        channel
        for one in project.check()
        if one.definition is not None
        for channel in one.definition.channels()
    }
    channels = project.settings.channels
    if channels.email is not None:
        yield _mail_server(channels.email.smtp)
    elif "email" in used:
        yield _missing("e-mail", "email")
    if channels.sms is not None:
        yield _sms_provider(channels.sms)
    elif "sms" in used:
        yield _missing("SMS", "sms")


def _starter_facts(project: Project) -> Iterator[Finding]:
    """RFC 2606, section 2: nobody can ever have a name that ends in .example."""
    website = project.settings.club.website
    if (urlsplit(website).hostname or "").endswith(".example"):
        yield broken(
            "club",
            f"{website} is the starter's, and stands in the messages",
            "Write your own `website`, `phone` and `address` into club.yaml.",
        )


def _missing(what: str, key: str) -> Finding:
    return broken(
        what,
        "campaigns use it, and club.yaml has no way out for it",
        f"Fill in `channels: {{{key}: …}}` in club.yaml.",
    )


def _mail_server(settings: SmtpSettings) -> Finding:
    """Connect, encrypt and log in, as a sweep would; then leave."""
    place = f"{settings.host}:{settings.port}"
    try:
        with _connected(settings) as server:
            if settings.tls == "none" and settings.username is None:
                return note("mail server", f"{place} answers; neither encryption nor a login")
            if settings.username is not None:
                password = settings.password.get_secret_value() if settings.password else ""
                server.login(settings.username, password)
                return ok("mail server", f"{place} answers ({settings.tls}), and lets us in")
            return ok("mail server", f"{place} answers ({settings.tls}), without a login")
    except smtplib.SMTPAuthenticationError as error:
        return broken(
            "mail server",
            f"{place} refuses the login ({error.smtp_code})",
            "Check `username` in club.yaml, and SAMPARK_CHANNELS__EMAIL__SMTP__PASSWORD in .env.",
        )
    except smtplib.SMTPNotSupportedError as error:
        return broken("mail server", f"{place}: {error}", "Set `tls` and `port` as it offers them.")
    except ssl.SSLError as error:
        return broken(
            "mail server",
            f"{place}: its certificate or encryption is not right ({error.reason})",
            "Check `host`, `port` and `tls` in club.yaml.",
        )
    except (OSError, smtplib.SMTPException) as error:
        return broken(
            "mail server",
            f"{place} does not answer ({type(error).__name__})",
            "Check `host` and `port` in club.yaml, and the way through the firewall.",
        )


def _connected(settings: SmtpSettings) -> smtplib.SMTP:
    context = ssl.create_default_context(cafile=str(settings.ca_file) if settings.ca_file else None)
    if not settings.verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    if settings.tls == "implicit":
        return smtplib.SMTP_SSL(settings.host, settings.port, timeout=_WAIT_S, context=context)
    server = smtplib.SMTP(settings.host, settings.port, timeout=_WAIT_S)
    if settings.tls == "starttls":
        server.starttls(context=context)
    return server


def _sms_provider(settings: SmsSettings) -> Finding:
    """Providers bill by the request: only what we hold is looked at."""
    match settings:
        case TwilioSettings(token=None):
            mend = "Set SAMPARK_CHANNELS__SMS__TOKEN in .env."
            return broken("SMS provider", "the token is missing", mend)
        case KannelSettings(password=None):
            mend = "Set SAMPARK_CHANNELS__SMS__PASSWORD in .env."
            return broken("SMS provider", "Kannel's password is missing", mend)
        case KannelSettings(hook_secret=None) | GatewaySettings(hook_secret=None):
            return note(
                "SMS provider",
                f"{settings.provider} is set up, but neither deliveries nor STOP come back from it",
                "Set SAMPARK_CHANNELS__SMS__HOOK_SECRET in .env; docs/sms.md says the rest.",
            )
        case _:
            return ok("SMS provider", f"{settings.provider} is set up; it was not called")
