"""What came in through a form or from a CRM, whoever sent it: a person's words, and whence."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Submission:
    """One person's answers."""

    source_id: str
    """The sender's own id of it: the same id is the same submission."""
    answers: Mapping[str, str]
    """By heading, as the sender has it: `E-mail`, `What's your name?`, `phone_number`."""
    at: datetime | None = None
    """When it was sent, if it says so."""
    about: Mapping[str, str] = field(default_factory=dict)
    """What is known of the way here: utm_source, gcl_id, an advertisement's id."""
    person: str | None = None
    """The sender's own id of the person, where it has one: what comes later is about her too."""
    stage: str | None = None
    """The sender's id of the stage she is in, where it tells one."""
    is_test: bool = False
    """Sent to try the connection: nobody is behind it."""


UTM = ("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content")
"""Parameters that say which advertisement led here; kept with the event."""


def split_about(values: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Answers, and what is about the way here."""
    about = {key: value for key, value in values.items() if key.lower() in UTM and value}
    return {key: value for key, value in values.items() if key not in about}, about
