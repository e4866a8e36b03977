"""The doors of the public web app. Adding one is a line."""

from crm_console.web.public import (
    api,
    clicks,
    club_pages,
    lead_forms,
    sms_hooks,
    subscription,
    webhooks,
)
from crm_console.web.public.door import Door

DOORS: tuple[Door, ...] = (
    club_pages.LOOK,
    subscription.LEAVE,
    subscription.CHOOSE,
    subscription.CONFIRM,
    clicks.CLICKS,
    lead_forms.FORMS,
    api.API,
    webhooks.REPORTS,
    sms_hooks.TWILIO,
    sms_hooks.KANNEL,
    sms_hooks.GATEWAY,
)
