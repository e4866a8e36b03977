"""The base of every model that is read from a file a person writes."""

from collections.abc import Sequence
from typing import NoReturn

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError


class StrictModel(BaseModel):
    """Unknown keys are errors, and what was read does not change any more."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        # What is dumped can be validated again: the database keeps definitions as dumps.
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )


WRONG = "wrong"
"""The type of the errors that already carry our own words."""


def wrong(message: str, fix: str = "", at: Sequence[str | int] = ()) -> NoReturn:
    """Refuse a value inside a validator, in words for the person who wrote it.

    `at` leads from the validated value to the part that is wrong.
    """
    raise PydanticCustomError(WRONG, "{message}", {"message": message, "fix": fix, "at": tuple(at)})
