"""What the HTTP API takes and answers; its OpenAPI page comes from these."""

from datetime import datetime
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field


def _printable(text: str) -> str:
    if not text.isprintable():
        raise ValueError("no control characters")
    return text


def _shallow(data: dict[str, Any]) -> dict[str, Any]:
    if not _ends_within(data, _DEEPEST):
        raise ValueError("nested too deeply")
    return data


def _ends_within(value: Any, levels: int) -> bool:
    if not isinstance(value, dict | list):
        return True
    inner = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_ends_within(one, levels - 1) for one in inner)


_DEEPEST = 20
"""Levels of an event's data; nobody asks for a value that lies deeper."""

Name: TypeAlias = Annotated[str, AfterValidator(_printable)]
"""What somebody or something is known by."""


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CustomerName(_Shape):
    """Whom it is about: by your reference, or by an address that one customer alone has."""

    ref: Name | None = Field(None, max_length=64, examples=["M-1042"])
    email: Name | None = Field(None, max_length=254)
    phone: Name | None = Field(None, max_length=32, examples=["+919876543210"])


class NewEvent(_Shape):
    """Something that happened to a customer."""

    id: Name = Field(
        min_length=1,
        max_length=200,
        description="Your own id of it. The same id again changes nothing.",
    )
    name: str = Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=64)
    """In the past tense: `class_booked`."""
    customer: CustomerName
    at: datetime | None = Field(None, description="When it happened, with its offset; else now.")
    data: Annotated[dict[str, Any], AfterValidator(_shallow)] = Field(
        default_factory=dict, max_length=100
    )


class EventAnswer(_Shape):
    """What became of an event."""

    event: int | None = Field(description="Our id of it; null when it was known already.")
    is_new: bool


class CustomerChange(_Shape):
    """A customer, new or known: what is left out stays as it is."""

    ref: Name = Field(min_length=1, max_length=64, examples=["M-1042"])
    fields: dict[str, Any] = Field(
        default_factory=dict,
        max_length=200,
        description="By the columns of a customers file: first_name, email, phone, tags, …",
    )


class CustomerAnswer(_Shape):
    """What became of a customer."""

    customer: int
    is_new: bool


class Trouble(_Shape):
    """Why something was not taken, and how to mend it."""

    reason: str
    instruction: str
