"""The names a campaign uses: how each is spelt, and which ones the club has to know."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from crm_store.event_names import KEY
from triggers.strict_model import wrong

MARK = "x-sampark"
"""Where a JSON Schema keeps a mark until the club's names take its place."""


class Kind(StrEnum):
    """What a marked text stands for. The checker and the editor's schema look at nothing else."""

    CHANNEL = "channel"
    CONDITION = "condition"
    DATE = "date field"
    EMAIL = "email"
    EVENT = "event"
    FIELD = "field"
    FILLED = "text with fields"
    HOLIDAY = "holiday"
    MESSAGE = "message"
    PIPELINE = "pipeline"
    PLAN = "plan"
    SEGMENT = "segment"
    SMS = "sms"
    STAGE = "stage"
    TOPIC = "topic"


EXAMPLES: dict[Kind, str] = {
    Kind.CHANNEL: "email",
    Kind.CONDITION: "visits.last_90d >= 8",
    Kind.EMAIL: "renewal/heads_up",
    Kind.EVENT: "membership_renewed",
    Kind.PIPELINE: "sales",
    Kind.PLAN: "annual",
    Kind.SEGMENT: "regulars",
    Kind.SMS: "renewal/last_day",
    Kind.STAGE: "trial_booked",
    Kind.TOPIC: "renewals",
}
"""What editors and the reference show where a key says no better."""


@dataclass(frozen=True)
class Mark:
    """Says on a model's field what its text stands for."""

    kind: Kind

    def __get_pydantic_json_schema__(
        self, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        schema[MARK] = self.kind.value
        if self.kind in EXAMPLES:
            schema.setdefault("examples", [EXAMPLES[self.kind]])
        return schema


def spelt(what: str, pattern: str, rule: str) -> Callable[[str], str]:
    """A validator of a text that has to fit all of a pattern; `rule` says what that is in words."""

    def check(text: str) -> str:
        if len(text) > LONGEST or not re.fullmatch(pattern, text):
            wrong(f"`{text[:40]}` cannot be {what}", rule)
        return text

    return check


def _filled(text: str) -> str:
    if not text.strip():
        wrong("the text is empty", "write something, or leave the key out")
    return text


def _https(text: str) -> str:
    if not re.fullmatch(r"https://[A-Za-z0-9.-]+(:[0-9]{1,5})?(/[^\s]*)?", text):
        wrong(f"`{text[:40]}` is no address that can be called", "write https://host/path")
    return text


LONGEST = 64
_SLUG_RULE = "use small letters, digits, hyphens and underscores, such as `membership-renewal`"

Slug = Annotated[
    str, AfterValidator(spelt("a campaign's name", r"[a-z0-9][a-z0-9_-]*", _SLUG_RULE))
]
StepId = Annotated[str, AfterValidator(spelt("a step's id", r"[a-z0-9][a-z0-9_-]*", _SLUG_RULE))]
EventName = Annotated[
    str,
    AfterValidator(
        spelt(
            "an event's name",
            r"[a-z][a-z0-9_]*",
            "use small letters, digits and underscores, such as `membership_renewed`",
        )
    ),
    Mark(Kind.EVENT),
]
_TEMPLATE = AfterValidator(
    spelt(
        "a template's name",
        r"[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*)*",
        "write folder and name without an ending, such as `renewal/heads_up`",
    )
)
EmailTemplate = Annotated[str, _TEMPLATE, Mark(Kind.EMAIL)]
SmsTemplate = Annotated[str, _TEMPLATE, Mark(Kind.SMS)]
MessageTemplate = Annotated[str, _TEMPLATE, Mark(Kind.MESSAGE)]
ChannelName = Annotated[
    str,
    AfterValidator(spelt("a channel's name", r"[a-z][a-z0-9_-]*", _SLUG_RULE)),
    Mark(Kind.CHANNEL),
]
CouponPrefix = Annotated[
    str,
    AfterValidator(
        spelt(
            "the beginning of a coupon's code",
            r"[A-Z0-9]{2,20}",
            "use 2 to 20 capital letters and digits, such as `RENEW10`",
        )
    ),
]
FieldKey = Annotated[
    str,
    AfterValidator(
        spelt("a field's key", r"[a-z][a-z0-9_]*", "write it as `fields:` in club.yaml has it")
    ),
    Mark(Kind.FIELD),
]
QueueName = Annotated[
    str, AfterValidator(spelt("a queue's name", r"[a-z0-9][a-z0-9_-]*", _SLUG_RULE))
]
TagName = Annotated[
    str,
    AfterValidator(
        spelt("a tag", r"[^\s,;]([^\n,;]*[^\s,;])?", "write it without commas and line breaks")
    ),
]
WebAddress = Annotated[str, AfterValidator(_https)]
FilledText = Annotated[str, AfterValidator(_filled), Mark(Kind.FILLED)]
"""A text in which fields may stand: `Call {{ customer.first_name }}`."""
Text = Annotated[str, AfterValidator(_filled)]
ConditionText = Annotated[str, AfterValidator(_filled), Mark(Kind.CONDITION)]
PipelineName = Annotated[str, AfterValidator(_filled), Mark(Kind.PIPELINE)]
DataKey = Annotated[
    str,
    AfterValidator(
        spelt(
            "a key of an event's data",
            KEY.pattern,
            "write it as the data has it: letters, digits, underscores and hyphens",
        )
    ),
]
DateField = Annotated[str, AfterValidator(_filled), Mark(Kind.DATE)]
HolidayName = Annotated[str, AfterValidator(_filled), Mark(Kind.HOLIDAY)]
FormName = Annotated[
    str, AfterValidator(spelt("a form's name", r"[a-z0-9][a-z0-9_-]*", _SLUG_RULE))
]
SegmentId = Annotated[
    str, AfterValidator(spelt("a segment's name", r"[a-z0-9][a-z0-9_-]*", _SLUG_RULE))
]
SegmentName = Annotated[SegmentId, Mark(Kind.SEGMENT)]
PlanName = Annotated[str, AfterValidator(_filled), Mark(Kind.PLAN)]
StageName = Annotated[str, AfterValidator(_filled), Mark(Kind.STAGE)]
TopicName = Annotated[str, AfterValidator(_filled), Mark(Kind.TOPIC)]


def marked(metadata: Any) -> Kind | None:
    """The kind that a field's metadata carries, if any."""
    return next((item.kind for item in metadata if isinstance(item, Mark)), None)
