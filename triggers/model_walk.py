"""Walks a pydantic model beside the data of a file that may be broken.

So the rest of a file is checked although one key in it is wrong, and each error stands beside
the key it is about.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from triggers.names import Kind, marked
from triggers.yaml_builder import Location


@dataclass(frozen=True)
class MarkedText:
    """A text in the data whose field carries a mark."""

    kind: Kind
    text: str
    loc: Location
    owner: Mapping[str, Any]
    """The mapping that the text stands in."""


def marked_texts(model: type[BaseModel], data: Any) -> Iterator[MarkedText]:
    """Every text in `data` that a field of the model, at any depth, has marked."""
    yield from _texts(model, (), data, (), {})


def known_keys(model: type[BaseModel], loc: Location, data: Any) -> list[str]:
    """The keys that may stand in the mapping at `loc`."""
    annotations: list[Any] = [model]
    for part in loc:
        annotations = [
            child for annotation in annotations for child in _children(annotation, part, data)
        ]
        data = _within(data, part)
    return [
        _key(name, field)
        for annotation in annotations
        for option in _models(annotation, data)
        for name, field in option.model_fields.items()
    ]


def in_source(loc: Location, data: Any) -> Location:
    """A pydantic error's location without the parts that name no key: the tags of unions."""
    kept: list[str | int] = []
    for index, part in enumerate(loc):
        if _has(data, part):
            data = _within(data, part)
            kept.append(part)
        elif index == len(loc) - 1 and isinstance(data, dict):
            kept.append(part)
    return tuple(kept)


def _texts(
    annotation: Any, metadata: Any, data: Any, loc: Location, owner: Mapping[str, Any]
) -> Iterator[MarkedText]:
    for option, notes in _options(annotation, tuple(metadata)):
        if isinstance(data, str):
            if kind := marked(notes):
                yield MarkedText(kind, data, loc, owner)
        elif isinstance(data, list) and get_origin(option) in (list, tuple):
            for index, item in enumerate(data):
                yield from _texts(get_args(option)[0], (), item, (*loc, index), owner)
        elif isinstance(data, dict) and _is_mapping(option):
            keys, values = get_args(option)
            for key, value in data.items():
                yield from _texts(keys, (), key, (*loc, key), data)
                yield from _texts(values, (), value, (*loc, key), data)
        elif isinstance(data, dict) and _is_model(option) and _fits(option, data):
            for name, field in option.model_fields.items():
                key = _key(name, field)
                if key in data:
                    at = (*loc, key)
                    yield from _texts(field.annotation, field.metadata, data[key], at, data)


def _options(annotation: Any, metadata: tuple[Any, ...] = ()) -> list[tuple[Any, tuple[Any, ...]]]:
    """The plain types that an annotation allows, each with its metadata."""
    origin = get_origin(annotation)
    if origin is Annotated:
        base, *notes = get_args(annotation)
        return _options(base, (*metadata, *notes))
    if origin in (Union, UnionType):
        return [option for part in get_args(annotation) for option in _options(part, metadata)]
    return [(annotation, metadata)]


def _models(annotation: Any, data: Any) -> list[type[BaseModel]]:
    models = [option for option, _ in _options(annotation) if _is_model(option)]
    fitting = [model for model in models if isinstance(data, dict) and _fits(model, data)]
    return fitting or models


def _children(annotation: Any, part: str | int, data: Any) -> Iterator[Any]:
    for model in _models(annotation, data):
        for name, field in model.model_fields.items():
            if _key(name, field) == part:
                yield field.annotation
    for option, _ in _options(annotation):
        if isinstance(part, int) and get_origin(option) in (list, tuple):
            yield get_args(option)[0]
        elif _is_mapping(option):
            yield get_args(option)[1]


def _fits(model: type[BaseModel], data: Mapping[str, Any]) -> bool:
    """Whether the data names this member of a union: its `type` and the like are these."""
    return all(
        data.get(_key(name, field)) in get_args(field.annotation)
        for name, field in model.model_fields.items()
        if get_origin(field.annotation) is Literal and field.is_required()
    )


def _is_mapping(option: Any) -> bool:
    origin = get_origin(option)
    return isinstance(origin, type) and issubclass(origin, Mapping)


def _is_model(option: Any) -> bool:
    return isinstance(option, type) and issubclass(option, BaseModel)


def _key(name: str, field: FieldInfo) -> str:
    return field.alias or name


def _has(data: Any, part: str | int) -> bool:
    if isinstance(data, list):
        return isinstance(part, int) and part < len(data)
    return isinstance(data, dict) and part in data


def _within(data: Any, part: str | int) -> Any:
    return data[part] if _has(data, part) else None
