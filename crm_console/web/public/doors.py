"""The doors of the public web app. Adding one is a line."""

from crm_console.web.public import sms_hooks
from crm_console.web.public.door import Door

DOORS: tuple[Door, ...] = (sms_hooks.TWILIO, sms_hooks.KANNEL, sms_hooks.GATEWAY)
