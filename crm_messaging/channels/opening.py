"""From settings to open channels."""

from collections.abc import Mapping

from crm_messaging.channels.gateway import gateway_channel
from crm_messaging.channels.gateway_settings import GatewaySettings
from crm_messaging.channels.kannel import kannel_channel
from crm_messaging.channels.settings import EmailSettings, SmsSettings
from crm_messaging.channels.sms_settings import KannelSettings, TwilioSettings
from crm_messaging.channels.smtp import SmtpChannel
from crm_messaging.channels.twilio import twilio_channel
from crm_messaging.message import Channel


def open_channels(
    email: EmailSettings | None,
    sms: SmsSettings | None,
    messages: Mapping[str, SmsSettings] | None = None,
    *,
    public_url: str = "",
) -> dict[str, Channel]:
    """The channels by the word that campaigns use. Nothing connects before the first message.

    `messages` are the messengers by name. `public_url` is where our public pages are: providers
    report deliveries below it.
    """
    channels: list[Channel] = []
    if email is not None:
        channels.append(SmtpChannel(email.smtp))
    if sms is not None:
        channels.append(_over_http(sms, "sms", public_url))
    for name, settings in (messages or {}).items():
        channels.append(_over_http(settings, name, public_url))
    return {channel.name: channel for channel in channels}


def _over_http(settings: SmsSettings, name: str, public_url: str) -> Channel:
    match settings:
        case TwilioSettings():
            return twilio_channel(settings, public_url, name)
        case KannelSettings():
            return kannel_channel(settings, public_url)
        case GatewaySettings():
            return gateway_channel(settings, name)
