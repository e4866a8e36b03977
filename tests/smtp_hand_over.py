"""A letter for the SMTP channel, how it is set up against a scripted server, and who says yes."""

from crm_messaging.channels.smtp_settings import SmtpSettings
from crm_messaging.message import Letter, Outcome, OutgoingEmail

ACCEPTED, DEFERRED = Outcome.ACCEPTED, Outcome.DEFERRED
REJECTED, IN_DOUBT = Outcome.REJECTED, Outcome.IN_DOUBT

ASHA = OutgoingEmail(
    touchpoint_id=7,
    message_id="<7@club.example>",
    sender="bounce@club.example",
    recipient="asha.rao@mail.example",
    letter=Letter.of(b"Subject: Hello\r\n\r\n.A dot, and two:\r\n..\r\nBye\r\n"),
)
NO_PIPELINING = {"EHLO": "250-scripted\r\n250 8BITMIME\r\n"}


def settings(port: int, **more: object) -> SmtpSettings:
    times = {"connect_timeout": 0.5, "reply_timeout": 0.3, "final_reply_timeout": 0.3}
    return SmtpSettings.model_validate(
        {"host": "127.0.0.1", "port": port, "tls": "none"} | times | more
    )


async def yes(touchpoint_id: int) -> bool:
    return True


async def no(touchpoint_id: int) -> bool:
    return False
