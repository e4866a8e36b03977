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

_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def problems_of(error: ValidationError, source: Source, model: type[BaseModel]) -> list[Problem]:
    """Each error of `model` as a problem at the line and column of its key or value."""
    details = error.errors(include_url=False, include_input=True)
    meant = _meant(details, source, model)
    return [
        _problem(detail, source, meant)
        for detail in details
        # A misspelt key is one mistake, not two: the right one is not missing as well.
        if detail["type"] != "missing" or detail["loc"] not in meant
    ]


def _meant(
    details: list[ErrorDetails], source: Source, model: type[BaseModel]
) -> dict[Location, str]:
    """By pydantic's location: of each unknown key the fix, and each key probably meant by one."""
    meant: dict[Location, str] = {}
    for detail in details:
        if detail["type"] == "extra_forbidden":
            *parents, key = detail["loc"]
            loc = in_source(detail["loc"], source.data)
            above = loc[:-1] if loc[-1:] == (key,) else loc
            # A key that is there already is not what was meant by another.
            present = _value_at(source.data, above)
            keys = set(known_keys(model, above, source.data))
            free = keys - set(present if isinstance(present, dict) else ())
            if guess := nearest(str(key), free):
                meant[(*parents, guess)] = guess
            meant[detail["loc"]] = choose_from(str(key), free, "remove it")
    return meant


def _problem(detail: ErrorDetails, source: Source, meant: Mapping[Location, str]) -> Problem:
    context: Mapping[str, Any] = detail.get("ctx", {})
    loc = in_source((*detail["loc"], *context.get("at", ())), source.data)
    kind = detail["type"]
    name = _name(loc)
    # A value can come from the environment: then the file has no such place.
    last = detail["loc"][-1] if detail["loc"] else ""
    if kind == WRONG:
        return source.problem(loc, context["message"], context["fix"])
    if kind == "extra_forbidden":
        return source.problem(loc, f"unknown key `{last}`", meant[detail["loc"]], key=True)
    if kind == "missing":
        fix = f"add `{last}:` with a value"
        return source.problem(loc[:-1], f"`{last}` is missing{_where(loc)}", fix, key=True)
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
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        limit = f"{words} {context[key]}"
        return source.problem(loc, f"{name} must be {limit}", "write another number")
    if kind == "string_pattern_mismatch":
        return source.problem(loc, f"{name} does not fit", f"it has to match {context['pattern']}")
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
