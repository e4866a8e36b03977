"""A model's validation errors, in the words of the person who wrote the file."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from triggers.model_walk import in_source, known_keys
from triggers.problems import Problem, choose_from, nearest
from triggers.strict_model import WRONG
from triggers.yaml_builder import Location
from triggers.yaml_source import Source

_MUST_BE = {
    "string_type": ("a text", "write a text; if it looks like a number, put it in quotes"),
    "int_type": ("a whole number", "write it without quotes, such as `2`"),
    "int_parsing": ("a whole number", "write it without quotes, such as `2`"),
    "int_from_float": ("a whole number", "write it without a fraction"),
    "float_type": ("a number", "write it without quotes, such as `2.5`"),
    "float_parsing": ("a number", "write it without quotes, such as `2.5`"),
    "bool_type": ("true or false", "write `true` or `false` without quotes"),
    "bool_parsing": ("true or false", "write `true` or `false` without quotes"),
    "list_type": ("a list", "write `[a, b]`, or a line `- a` for each"),
    "tuple_type": ("a list", "write `[a, b]`, or a line `- a` for each"),
    "dict_type": ("keys with values", "write `key: value` in the lines below it"),
    "mapping_type": ("keys with values", "write `key: value` in the lines below it"),
    "model_type": ("keys with values", "write `key: value` in the lines below it"),
    "model_attributes_type": ("keys with values", "write `key: value` in the lines below it"),
}


def problems_of(
    error: ValidationError, source: Source, model: type[BaseModel] | None = None
) -> list[Problem]:
    """Each error as a problem at the line and column of its key or value.

    With the `model`, an unknown key is answered with the nearest right one.
    """
    details = error.errors(include_url=False, include_input=True)
    meant = _meant(details, source, model)
    return [
        _problem(detail, source, meant)
        for detail in details
        # A misspelt key is one mistake, not two: the right one is not missing as well.
        if detail["type"] != "missing" or in_source(detail["loc"], source.data) not in meant
    ]


def _meant(
    details: list[ErrorDetails], source: Source, model: type[BaseModel] | None
) -> dict[Location, str]:
    """By location: of each unknown key the fix, and each key that was probably meant by one."""
    meant: dict[Location, str] = {}
    for detail in details:
        if detail["type"] == "extra_forbidden":
            loc = in_source(detail["loc"], source.data)
            keys = set(known_keys(model, loc[:-1], source.data)) if model else set()
            # A key that is there already is not what was meant by another.
            free = keys - set(_value_at(source.data, loc[:-1]))
            if guess := nearest(str(loc[-1]), free):
                meant[(*loc[:-1], guess)] = guess
            meant[loc] = choose_from(str(loc[-1]), free, "remove it, or check its spelling")
    return meant


def _problem(detail: ErrorDetails, source: Source, meant: Mapping[Location, str]) -> Problem:
    context: Mapping[str, Any] = detail.get("ctx", {})
    loc = in_source((*detail["loc"], *context.get("at", ())), source.data)
    kind = detail["type"]
    name = _name(loc)
    if kind == WRONG:
        return source.problem(loc, context["message"], context["fix"])
    if kind == "extra_forbidden":
        return source.problem(loc, f"unknown key `{loc[-1]}`", meant[loc], key=True)
    if kind == "missing":
        fix = f"add `{loc[-1]}:` with a value"
        return source.problem(loc[:-1], f"`{loc[-1]}` is missing{_where(loc)}", fix, key=True)
    if kind == "union_tag_not_found":
        tag = _unquoted(context["discriminator"])
        return source.problem(loc, f"`{tag}` is missing in {name}", f"add `{tag}:`", key=True)
    if kind == "union_tag_invalid":
        tag = _unquoted(context["discriminator"])
        return _choice(source, (*loc, tag), context["tag"], context["expected_tags"])
    if detail["input"] is None:
        return source.problem(loc, f"{name} has no value", "write one, or leave the key out")
    if kind in ("literal_error", "enum"):
        return _choice(source, loc, detail["input"], context["expected"])
    if kind in _MUST_BE:
        what, fix = _MUST_BE[kind]
        return source.problem(loc, f"{name} must be {what}", fix)
    return source.problem(loc, f"{name}: {_plain(detail['msg'])}")


def _choice(source: Source, loc: Location, given: object, expected: str) -> Problem:
    """`expected` is pydantic's list: ``'postpone' or 'skip'``."""
    known = re.findall(r"'([^']*)'", expected)
    fix = choose_from(str(given), known)
    return source.problem(loc, f"{_name(loc)} cannot be `{str(given)[:40]}`", fix)


def _value_at(data: Any, loc: Location) -> Any:
    for part in loc:
        data = data[part]
    return data


def _name(loc: Location) -> str:
    words = [part for part in loc if isinstance(part, str)]
    if not words:
        return "the file"
    return f"an item of `{words[-1]}`" if isinstance(loc[-1], int) else f"`{words[-1]}`"


def _where(loc: Location) -> str:
    return f" in {_name(loc[:-1])}" if len(loc) > 1 else ""


def _unquoted(discriminator: str) -> str:
    return discriminator.strip("'")


def _plain(message: str) -> str:
    """Pydantic's own sentence, for the rare error that has no words of ours."""
    text = message.removeprefix("Value error, ")
    return text[:1].lower() + text[1:]
