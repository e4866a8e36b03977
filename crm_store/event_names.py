"""The names of events that Sampark itself understands; a club may record any others."""

LEAD_CREATED = "lead_created"
STAGE_CHANGED = "stage_changed"
MEMBERSHIP_RENEWED = "membership_renewed"
MEMBERSHIP_CANCELLED = "membership_cancelled"

EMAIL_DELIVERED = "email_delivered"
EMAIL_DELAYED = "email_delayed"
EMAIL_BOUNCED = "email_bounced"
EMAIL_COMPLAINED = "email_complained"
EMAIL_OPENED = "email_opened"
EMAIL_CLICKED = "email_clicked"
EMAIL_ANSWERED_BY_ITSELF = "email_answered_by_itself"
EMAIL_UNSUBSCRIBED = "email_unsubscribed"
SMS_DELIVERED = "sms_delivered"
SMS_DELAYED = "sms_delayed"
SMS_FAILED = "sms_failed"
SMS_UNSUBSCRIBED = "sms_unsubscribed"

TOLD_AFTERWARDS = (
    EMAIL_DELIVERED,
    EMAIL_DELAYED,
    EMAIL_BOUNCED,
    EMAIL_COMPLAINED,
    EMAIL_OPENED,
    EMAIL_CLICKED,
    EMAIL_ANSWERED_BY_ITSELF,
    EMAIL_UNSUBSCRIBED,
    SMS_DELIVERED,
    SMS_DELAYED,
    SMS_FAILED,
    SMS_UNSUBSCRIBED,
)
"""What providers and other mail servers tell of a message that has left. Nobody knows whether it
was a person who opened it or followed a link in it: machines do both."""

RECORDED_HERE = (LEAD_CREATED, STAGE_CHANGED, MEMBERSHIP_RENEWED, MEMBERSHIP_CANCELLED)
"""What an import or the command line writes down by these names."""
