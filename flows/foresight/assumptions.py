"""What a simulation assumes that people do: how many answer a step, and whether they train on."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    Field,
    PlainValidator,
    StrictInt,
    ValidationError,
    ValidationInfo,
)

from crm_store.errors import UsageError
from crm_store.event_names import (
    MEMBERSHIP_RENEWED,
    PACKAGE_CHANGED,
    PURCHASE_RECORDED,
    STAGE_CHANGED,
)
from triggers.model_problems import problems_of
from triggers.names import EventName
from triggers.offsets import Duration, parse_duration
from triggers.strict_model import StrictModel, wrong
from triggers.yaml_source import read_yaml

DAY = parse_duration("1d")


def _share(text: object) -> float:
    number = text.removesuffix("%") if isinstance(text, str) else ""
    if not (isinstance(text, str) and text.endswith("%") and number.replace(".", "", 1).isdigit()):
        wrong(f"`{str(text)[:40]}` is not a share", "write a percentage, such as `20%`")
    if not 0 < float(number) <= 100:
        wrong(f"`{text}` is not a share of people", "write more than 0% and at most 100%")
    return float(number) / 100


def _place(text: object) -> tuple[str, str]:
    campaign, dot, step = str(text).partition(".")
    if not (campaign and dot and step):
        fix = "write campaign and step, such as `membership-renewal.offer`"
        wrong(f"`{str(text)[:60]}` names no step", fix)
    return campaign, step


def _told_in_full(name: str, given: ValidationInfo) -> str:
    needs_it = name in (PACKAGE_CHANGED, PURCHASE_RECORDED, STAGE_CHANGED)
    if needs_it and not given.data.get("data"):
        wrong(f"`{name}` says nothing without its data", "add `data:` to it")
    return name


class Response(StrictModel):
    """A share of those who get a step do something about it."""

    after: Annotated[tuple[str, str], PlainValidator(_place)]
    """Campaign and step."""
    share: Annotated[float, PlainValidator(_share)]
    """How many of those who got it."""
    data: dict[str, Any] = Field(default_factory=dict)
    """What the event says, for the messages that it starts."""
    event: Annotated[EventName, AfterValidator(_told_in_full)] = MEMBERSHIP_RENEWED
    """What they do: `visit_recorded` is a visit, `membership_renewed` begins their next term."""
    delay: Duration = DAY
    """How long after it."""


class Assumptions(StrictModel):
    """All that a simulation assumes. The same assumptions give the same figures."""

    seed: StrictInt = 1
    """Of chance: another one makes other people answer."""
    visits: Literal["none", "as_past"] = "none"
    """`as_past`: everyone comes as 52 weeks before. `none`: nobody comes any more."""
    responses: tuple[Response, ...] = Field(default=())
    """Who answers which step."""


def read_assumptions(path: Path) -> Assumptions:
    """Read a file of assumptions. Raises `UsageError` with every mistake and its line."""
    source = read_yaml(path)
    problems = list(source.problems)
    if not problems:
        try:
            return Assumptions.model_validate(source.data)
        except ValidationError as error:
            problems = problems_of(error, source, Assumptions)
    raise UsageError("\n".join(str(one) for one in problems), "Mend the file of assumptions.")


def response(text: str) -> Response:
    """`membership-renewal.offer=20%`. Raises `UsageError`."""
    after, _, share = text.partition("=")
    try:
        given: dict[str, Any] = {"after": after, "share": share}
        return Response.model_validate(given)
    except ValidationError as error:
        raise UsageError(
            f"{text} is no response.", "Write it as membership-renewal.offer=20%."
        ) from error
