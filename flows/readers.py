"""Who reads what comes through each door: the inbox's table of sources. Adding one is a line."""

from collections.abc import Mapping

from crm_messaging.webhooks.providers import PROVIDERS
from flows import bounces, text_replies
from flows.leads.readers import lead_readers
from flows.provider_reports import report_reader
from flows.reading import Reader
from flows.settings import Settings
from flows.sms_reports import sms_report_readers


def readers_of(settings: Settings) -> Mapping[str, Reader]:
    """By `InboundMessage.source`. A source stays here when its door is closed: some may wait."""
    reports = {name: report_reader(provider) for name, provider in PROVIDERS.items()}
    return {
        **reports,
        **sms_report_readers(settings.channels),
        **lead_readers(settings.forms, settings.club.country),
        bounces.SOURCE: bounces.READER,
        text_replies.SOURCE: text_replies.READER,
    }
