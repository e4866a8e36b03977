"""The base of every model that is read from a file a person writes."""

import ast
import inspect
import sys
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import NoReturn

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError


class StrictModel(BaseModel):
    """Unknown keys are errors, and what was read does not change any more."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        # What is dumped can be validated again: the database keeps definitions as dumps.
        serialize_by_alias=True,
        hide_input_in_errors=True,
    )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        """With the texts below the fields as their descriptions.

        pydantic would read them out of the source whenever a model is defined: for commands that
        check files that is a good part of what they take to start.
        """
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for origin in cls.__mro__:
            for name, text in _texts_below_fields(origin):
                field = cls.model_fields.get(name)
                if field and field.description is None:
                    properties[field.alias or name].setdefault("description", text)
        return schema


@cache
def _classes(module: str) -> dict[str, ast.ClassDef]:
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}


def _texts_below_fields(origin: type) -> Iterator[tuple[str, str]]:
    """The fields that a class declares, each with the text that stands below it."""
    if not issubclass(origin, StrictModel):
        return
    for first, second in pairwise(_classes(origin.__module__)[origin.__name__].body):
        match first, second:
            case (
                ast.AnnAssign(target=ast.Name(id=name)),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                yield name, inspect.cleandoc(text)


WRONG = "wrong"
"""The type of the errors that already carry our own words."""


def wrong(message: str, fix: str = "", at: Sequence[str | int] = ()) -> NoReturn:
    """Refuse a value inside a validator, in words for the person who wrote it.

    `at` leads from the validated value to the part that is wrong.
    """
    raise PydanticCustomError(WRONG, "{message}", {"message": message, "fix": fix, "at": tuple(at)})
