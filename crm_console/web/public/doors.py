"""The doors of the public web app. Adding one is a line."""

from crm_console.web.public.door import Door

DOORS: tuple[Door, ...] = ()
