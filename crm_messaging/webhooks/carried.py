"""The header field that carries our Message-ID to a provider, in the form in which each gives it
back with its reports. The provider takes it out; without it some reports name no message of ours.
"""

from collections.abc import Iterable, Mapping

from crm_messaging.webhooks.facts import OURS

_FIELDS: Mapping[str, str] = {
    "sendgrid": f'X-SMTPAPI: {{"unique_args": {{"{OURS}": "%s"}}}}',
    "postmark": f"X-PM-Metadata-{OURS}: %s",
    "mailgun": f'X-Mailgun-Variables: {{"{OURS}": "%s"}}',
    "brevo": f'X-Mailin-custom: {{"{OURS}": "%s"}}',
    "unisender_go": f'X-UNISENDER-GO: {{"global_metadata": {{"{OURS}": "%s"}}}}',
}
"""Amazon SES gives the Message-ID itself back."""
_LONGEST = 80
"""Postmark takes no longer value, and would refuse the message."""


def fields_for(providers: Iterable[str], message_id: str) -> list[str]:
    """The header fields of a message, for the providers that may carry it."""
    bare = message_id.strip("<>")
    if len(bare) > _LONGEST:
        return []
    return [_FIELDS[one] % bare for one in providers if one in _FIELDS]
