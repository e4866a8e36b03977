"""A club whose text message is registered in India."""

from dataclasses import replace
from datetime import UTC, datetime

from engines import Workshop
from making import make_customer, make_event

from crm_messaging.dlt import DltSettings

CAMPAIGN = """
campaign: leads
name: Leads
topic: news
trigger: {type: new_lead}
defaults: {late: {grace: %s}}
steps:
  - {id: welcome, at: now, sms: note/registered}
"""
HEAD = """---
dlt_template: 1107161234567890123
dlt_text: "{#var#}, 20%% off at Lotus."
dlt_kind: %s
---
"""
NINE_IN_THE_EVENING = datetime(2026, 11, 22, 15, 30, tzinfo=UTC)
TEN_IN_THE_MORNING = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
IN_INDIA, IN_RUSSIA = "+919876543210", "+79161234567"


def registered(
    club: Workshop,
    kind: str = "promotional",
    text: str = "20% off at Lotus.",
    grace: str = "24h",
) -> None:
    """The club writes this to each lead."""
    for language in ("en", "hi"):
        path = club.folder / "templates" / language / "sms/note/registered.txt"
        path.write_text(HEAD % kind + "{{ customer.first_name }}, " + text, encoding="utf-8")
    club.read_templates_anew()
    dlt = DltSettings(entity="1101456789012345678", header="LTSFIT")
    club.engine = replace(club.engine, dlt=dlt)
    club.campaign(CAMPAIGN % grace)


def enter(club: Workshop, *phones: str) -> None:
    """A lead comes in with each of these numbers."""
    for phone in phones:
        make_event(club.store, make_customer(club.store, phone=phone), occurred_at=club.clock.now)
