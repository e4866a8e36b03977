"""From settings to open channels."""

from crm_messaging.channels.gateway import gateway_channel
from crm_messaging.channels.settings import EmailSettings
from crm_messaging.channels.sms_settings import GatewaySettings, TwilioSettings
from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.channels.twilio import twilio_channel
from crm_messaging.message import Channel


def open_channels(
    email: EmailSettings | None, sms: TwilioSettings | GatewaySettings | None
) -> dict[str, Channel]:
    """The channels by the word that campaigns use. Nothing connects before the first message."""
    channels: list[Channel] = []
    if email is not None:
        channels.append(SmtpChannel(email.smtp))
    match sms:
        case TwilioSettings():
            channels.append(twilio_channel(sms))
        case GatewaySettings():
            channels.append(gateway_channel(sms))
        case None:
            pass
    return {channel.name: channel for channel in channels}
