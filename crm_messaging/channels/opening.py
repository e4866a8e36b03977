"""From settings to open channels."""

from crm_messaging.channels.gateway import gateway_channel
from crm_messaging.channels.gateway_settings import GatewaySettings
from crm_messaging.channels.kannel import kannel_channel
from crm_messaging.channels.settings import EmailSettings, SmsSettings
from crm_messaging.channels.sms_settings import KannelSettings, TwilioSettings
from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.channels.twilio import twilio_channel
from crm_messaging.message import Channel


def open_channels(
    email: EmailSettings | None, sms: SmsSettings | None, *, public_url: str = ""
) -> dict[str, Channel]:
    """The channels by the word that campaigns use. Nothing connects before the first message.

    `public_url` is where our public pages are: providers report deliveries below it.
    """
    channels: list[Channel] = []
    if email is not None:
        channels.append(SmtpChannel(email.smtp))
    match sms:
        case TwilioSettings():
            channels.append(twilio_channel(sms, public_url))
        case KannelSettings():
            channels.append(kannel_channel(sms, public_url))
        case GatewaySettings():
            channels.append(gateway_channel(sms))
        case None:
            pass
    return {channel.name: channel for channel in channels}
