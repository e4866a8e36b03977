"""Delivery reports of SMS providers, read from the inbox."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeAlias
from urllib.parse import parse_qsl

from crm_messaging.channels.gateway_settings import GatewaySettings
from crm_messaging.channels.settings import ChannelsSettings, SmsSettings
from crm_messaging.feedback import Feedback
from crm_messaging.webhooks import kannel, sms_gateway, twilio
from crm_store.inbox import Taken
from flows.feedback import apply_feedback
from flows.reading import Reader, Reading, Unreadable

Parse: TypeAlias = Callable[[Taken], Iterable[Feedback]]


def sms_report_readers(channels: ChannelsSettings) -> dict[str, Reader]:
    """By source. Those of a provider that the club has left still read what it sent."""
    gateways = {"sms": channels.sms, **channels.messages}
    return {
        "twilio": _reader(_of_twilio),
        "kannel": _reader(_of_kannel),
        **{
            source_of(name): _reader(partial(_of_gateway, settings, name))
            for name, settings in gateways.items()
        },
    }


def source_of(channel: str) -> str:
    """The inbox's source of a described gateway's reports."""
    return f"gateway_{channel}"


def _reader(parse: Parse) -> Reader:
    def apply(reading: Reading, message: Taken) -> None:
        later = apply_feedback(reading, message, parse(message))
        if later is not None:
            raise later

    return Reader(apply)


def _of_twilio(message: Taken) -> list[Feedback]:
    found = twilio.feedback_of(dict(parse_qsl(message.body.decode(), keep_blank_values=True)))
    return [found] if found else []


def _of_kannel(message: Taken) -> list[Feedback]:
    found = kannel.feedback_of(kannel.parameters(message.body.decode()))
    return [found] if found else []


def _of_gateway(settings: SmsSettings | None, channel: str, message: Taken) -> list[Feedback]:
    if not isinstance(settings, GatewaySettings) or settings.reports is None:
        raise Unreadable(
            "club.yaml does not describe the gateway's reports any more.",
            f"Put `reports` back where the channel {channel} is described.",
        )
    told = sms_gateway.told_by("", message.headers.get("content-type", ""), message.body)
    return sms_gateway.feedback_of(told, settings.reports, channel)
