"""What a message carries of ours comes back with the provider's reports."""

import json
from email import message_from_string
from email.policy import default

import pytest

from crm_messaging.webhooks.carried import fields_for
from crm_messaging.webhooks.posted import Posted
from crm_messaging.webhooks.providers import PROVIDERS

OURS = "<" + "0" * 40 + "@lotus.example>"


def given_back(provider: str, name: str, value: str) -> object:
    """A report of a provider that gives back what stood in the header field."""
    match provider:
        case "postmark":
            metadata = {name.removeprefix("X-PM-Metadata-"): value}
            return {"RecordType": "Open", "MessageID": "g", "Metadata": metadata}
        case "sendgrid":
            return [{"event": "open", "email": "a@b.example", **json.loads(value)["unique_args"]}]
        case "mailgun":
            return {"event-data": {"event": "opened", "user-variables": json.loads(value)}}
        case "brevo":
            return {"event": "opened", "message-id": "<x@mailin.fr>", "X-Mailin-custom": value}
        case _:
            metadata = json.loads(value)["global_metadata"]
            return {"status": "opened", "email": "a@b.example", "metadata": metadata}


@pytest.mark.parametrize("provider", sorted(set(PROVIDERS) - {"ses"}))
def test_a_report_names_our_message(provider: str) -> None:
    (line,) = fields_for([provider], OURS)
    ((name, value),) = message_from_string(line + "\r\n\r\n", policy=default).items()
    posted = Posted(json.dumps(given_back(provider, name, value)).encode())
    (fact,) = PROVIDERS[provider].read(posted)
    assert fact.message_id == OURS


def test_a_provider_that_needs_none_or_would_refuse_it_gets_none() -> None:
    assert fields_for(["ses"], OURS) == []
    assert fields_for([], OURS) == []
    assert fields_for(["postmark"], f"<{'0' * 40}@{'long.' * 10}example>") == []
