"""Who reads what comes through each door: the inbox's table of sources. Adding one is a line."""

from collections.abc import Mapping

from flows import text_replies
from flows.reading import Reader
from flows.settings import Settings
from flows.sms_reports import sms_report_readers


def readers_of(settings: Settings) -> Mapping[str, Reader]:
    """By `InboundMessage.source`. A source stays here when its door is closed: some may wait."""
    return {
        text_replies.SOURCE: text_replies.READER,
        **sms_report_readers(settings.channels.sms),
    }
