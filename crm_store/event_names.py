"""The names of events that Sampark itself understands; a club may record any others."""

import re
from collections.abc import Mapping

LEAD_CREATED = "lead_created"
STAGE_CHANGED = "stage_changed"
MEMBERSHIP_RENEWED = "membership_renewed"
MEMBERSHIP_CANCELLED = "membership_cancelled"
FORM_SUBMITTED = "form_submitted"
CONSENT_REQUESTED = "consent_requested"
"""It was asked in her name that she be written to on `channel`, about `topic`."""
VISIT_RECORDED = "visit_recorded"
PURCHASE_RECORDED = "purchase_recorded"
PACKAGE_CHANGED = "package_changed"

EMAIL_DELIVERED = "email_delivered"
EMAIL_DELAYED = "email_delayed"
EMAIL_BOUNCED = "email_bounced"
EMAIL_COMPLAINED = "email_complained"
EMAIL_OPENED = "email_opened"
EMAIL_CLICKED = "email_clicked"
LINK_CLICKED = "link_clicked"
LINK_SCANNED = "link_scanned"
"""A link was followed too soon for a person: by what looks through mail on its way."""
EMAIL_ANSWERED_BY_ITSELF = "email_answered_by_itself"
EMAIL_UNSUBSCRIBED = "email_unsubscribed"
SMS_DELIVERED = "sms_delivered"
SMS_DELAYED = "sms_delayed"
SMS_FAILED = "sms_failed"
SMS_UNSUBSCRIBED = "sms_unsubscribed"
SMS_RECEIVED = "sms_received"
"""She wrote to us: `text` is what, on which `channel`, and `wish` what it asks for (`stop`,
`start`, `help`), if anything."""

TOLD_AFTERWARDS = (
    EMAIL_DELIVERED,
    EMAIL_DELAYED,
    EMAIL_BOUNCED,
    EMAIL_COMPLAINED,
    EMAIL_OPENED,
    EMAIL_CLICKED,
    LINK_CLICKED,
    LINK_SCANNED,
    EMAIL_ANSWERED_BY_ITSELF,
    EMAIL_UNSUBSCRIBED,
    SMS_DELIVERED,
    SMS_DELAYED,
    SMS_FAILED,
    SMS_UNSUBSCRIBED,
    SMS_RECEIVED,
)
"""What providers and other mail servers tell of a message that has left. Nobody knows whether it
was a person who opened it or followed a link in it: machines do both."""

RECORDED_HERE = (
    LEAD_CREATED,
    STAGE_CHANGED,
    MEMBERSHIP_RENEWED,
    MEMBERSHIP_CANCELLED,
    FORM_SUBMITTED,
    CONSENT_REQUESTED,
    VISIT_RECORDED,
    PURCHASE_RECORDED,
    PACKAGE_CHANGED,
)
"""What an import, a form or the command line writes down by these names."""

DATA_OF: Mapping[str, Mapping[str, bool]] = {
    VISIT_RECORDED: {},
    PURCHASE_RECORDED: {"item": False, "amount": True},
}
"""What can be asked of events that are kept in tables of their own, and whether it is a number."""

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
"""How a key of an event's data is spelt, where something is to be asked of it."""
