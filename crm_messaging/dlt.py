"""India's register of commercial text messages (DLT), under TRAI's TCCCPR of 2018.

Who sends (the entity), under which name (the header) and what (the template) is registered at an
operator; a message that is not as registered is thrown away on the way, and paid for. So it is
held against the registered text before it leaves.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict, Field

from crm_store.errors import SamparkError

VARIABLE = "{#var#}"
VARIABLE_LENGTH = 30
"""Characters that one `{#var#}` may stand for."""
INDIA = "+91"
_IST = ZoneInfo("Asia/Kolkata")
_OPENS, _CLOSES = time(10), time(21)
_IDENTIFIER = r"^[0-9]{10,25}$"
_HEADER = r"^[A-Za-z0-9]{3,11}$"

Kind = Literal["promotional", "service", "transactional"]
KINDS: tuple[Kind, ...] = ("promotional", "service", "transactional")


class DltSettings(BaseModel):
    """What the club has registered. Each SMS template names its own registration in its head."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    entity: str = Field(pattern=_IDENTIFIER, description="The principal entity's id: digits.")
    header: str = Field(pattern=_HEADER, description="Sender of service messages: LOTUSF.")
    promotional_header: str | None = Field(
        None, pattern=_HEADER, description="Sender of promotional messages, if another: 612345."
    )


@dataclass(frozen=True)
class DltTemplate:
    """What is registered for one text message."""

    id: str
    text: str
    """As registered, with `{#var#}` for what differs."""
    kind: Kind


@dataclass(frozen=True)
class DltTags:
    """What a gateway has to be told with a message to India."""

    entity: str
    template: str
    header: str
    is_promotional: bool = False


class NotRegistered(SamparkError):
    """A text message to India is not what is registered. The text holds no value of hers."""


def tags_for(
    body: str, recipient: str, template: DltTemplate | None, settings: DltSettings | None
) -> DltTags | None:
    """What goes with a finished message; `None` where the register does not apply.

    Raises `NotRegistered` when the message must not leave.
    """
    if settings is None or not recipient.startswith(INDIA):
        return None
    if template is None:
        raise NotRegistered(
            "The template names no DLT registration, and the number is in India.",
            "Put dlt_template, dlt_text and dlt_kind into its head.",
        )
    if problem := mismatch(body, template.text):
        raise NotRegistered(
            f"The text is not what is registered as DLT template {template.id}: {problem}.",
            "Make the template say what is registered, or register what it says.",
        )
    if template.kind != "promotional":
        return DltTags(settings.entity, template.id, settings.header)
    header = settings.promotional_header or settings.header
    return DltTags(settings.entity, template.id, header, is_promotional=True)


def mismatch(text: str, registered: str) -> str | None:
    """Where `text` leaves the registered text; `None` if it is an instance of it.

    Every place that may be reached is followed, so no text makes it slow.
    """
    literals = _lines(registered).split(VARIABLE)
    text = _lines(text)
    ends = _after({0}, text, literals[0])
    told = literals[0]
    for literal in literals[1:]:
        if not ends:
            break
        told += VARIABLE + literal
        begins = {
            place for end in ends for place in range(end, min(end + VARIABLE_LENGTH, len(text)) + 1)
        }
        ends = _after(begins, text, literal)
    if not ends:
        return f"it differs at or before `{_last_words(told)}`"
    return None if len(text) in ends else f"it goes on after `{_last_words(told)}`"


def _after(begins: set[int], text: str, literal: str) -> set[int]:
    return {begin + len(literal) for begin in begins if text.startswith(literal, begin)}


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()


def _last_words(told: str) -> str:
    return told if len(told) <= 60 else f"…{told[-60:]}"


def shut_until(now: datetime) -> datetime | None:
    """When promotional messages may leave again; `None` while they may.

    From 10:00 to 21:00 in India (TCCCPR 2018, Schedule II).
    """
    local = now.astimezone(_IST)
    if _OPENS <= local.time() < _CLOSES:
        return None
    day = local.date() + timedelta(days=local.time() >= _CLOSES)
    return datetime.combine(day, _OPENS, _IST).astimezone(now.tzinfo)
