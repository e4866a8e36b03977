"""Tables of all keys that a file may have, made from its model."""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeAlias

import yaml
from pydantic import BaseModel

Schema: TypeAlias = Mapping[str, Any]
Path: TypeAlias = tuple[str | int, ...]
"""Where a part stands in a file: keys, and places in lists."""

NOTHING: Mapping[str, Any] = MappingProxyType({})
SECRET = "secret"  # noqa: S105 - a word on a page
"""The type of what stands in no file."""
_KINDS = {
    "type": "The kind of trigger.",
    "kind": "The kind of form.",
    "provider": "Whose interface it is.",
}
"""The keys by whose value the parts of a union are told apart."""
_MARKS = {"email": "e-mail template", "sms": "SMS template", "message": "template"}


@dataclass(frozen=True)
class Key:
    """One key: what the page tells of it."""

    name: str
    meaning: str
    type: str
    default: str
    example: Any
    has_example: bool


@dataclass(frozen=True)
class Part:
    """The keys that may stand together at one place of a file."""

    model: str
    file: str
    path: Path
    about: str
    keys: tuple[Key, ...]

    @property
    def title(self) -> str:
        """Where it stands, in words: `steps · choose`, `trigger: birthday`."""
        return " · ".join(str(one) for one in self.path if isinstance(one, str)) or self.file


class Reader:
    """Reads one file's schema; `parts` in the order in which one meets them.

    What stands in `shared`, by model, may stand in each of these parts and is told once, under
    that model. `smallest` is the least that makes a part sound, where it is more than the keys it
    must have.
    """

    def __init__(
        self,
        file: str,
        model: type[BaseModel],
        *,
        shared: Mapping[str, str] = NOTHING,
        smallest: Mapping[str, Mapping[str, Any]] = NOTHING,
    ) -> None:
        # As it is dumped it is also read; only this mode writes defaults as a person would.
        self.root = model.model_json_schema(mode="serialization")
        self.file = file
        self.model = model.__name__
        self._shared = shared
        self._smallest = smallest
        self.defs: Mapping[str, Any] = self.root.get("$defs", {})

    def parts(self) -> Iterator[Part]:
        waiting: list[tuple[str, Schema, Path]] = [(self.model, self.root, ())]
        seen: set[str] = set()
        while waiting:
            name, schema, path = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            known: Mapping[str, Any] = {}
            if shared := self._shared.get(name):
                known = self.defs[shared]["properties"]
                waiting.append((shared, self.defs[shared], (*path, f"an {shared.lower()}")))
            keys = schema["properties"]
            yield Part(
                model=name,
                file=self.file,
                path=path,
                about=schema.get("description", ""),
                keys=tuple(self._key(key, keys[key], schema) for key in keys if key not in known),
            )
            for key, value in keys.items():
                for child, place in self._children(value):
                    kind = self._kind(child)
                    at = (*path, f"{key}: {kind}" if kind else key, *place)
                    waiting.append((child, self.defs[child], at))

    def _kind(self, model: str) -> str | None:
        """By what a part of a union is told from the others."""
        keys = self.defs[model]["properties"]
        kinds = (
            [keys[name]["const"]] if "const" in keys[name] else keys[name].get("enum", ())
            for name in _KINDS
            if name in keys
        )
        return next((" or ".join(told) for told in kinds if told), None)

    def _children(self, schema: Schema) -> Iterator[tuple[str, Path]]:
        if "$ref" in schema and "properties" in self.defs[_model_of(schema)]:
            yield _model_of(schema), ()
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from self._children(option)
        if isinstance(items := schema.get("items"), Mapping):
            for name, place in self._children(items):
                yield name, (0, *place)
        if isinstance(values := schema.get("additionalProperties"), Mapping):
            for name, place in self._children(values):
                yield name, (-1, *place)

    def _key(self, name: str, schema: Schema, owner: Schema) -> Key:
        examples = list(self._examples(schema))
        required = name in owner.get("required", ())
        return Key(
            name=name,
            meaning=self._meaning(name, schema),
            type=self._type(schema),
            default="required" if required else _default(schema),
            example=examples[0] if examples else None,
            has_example=bool(examples),
        )

    def _meaning(self, key: str, schema: Schema) -> str:
        if told := schema.get("description"):
            return " ".join(told.split())
        return next(
            (
                " ".join(self.defs[name]["description"].split())
                for name, _ in self._children(schema)
            ),
            _KINDS.get(key, ""),
        )

    def _type(self, schema: Schema) -> str:
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return " or ".join(f"`{one}`" for one in schema["enum"])
        if "$ref" in schema:
            named = self.defs[_model_of(schema)]
            return "keys" if "properties" in named else self._type(named)
        if options := [*schema.get("anyOf", ()), *schema.get("oneOf", ())]:
            told = (self._type(option) for option in options if option.get("type") != "null")
            return " or ".join(dict.fromkeys(told))
        kind = schema.get("type")
        if kind == "array":
            return f"list of {_plural(self._type(schema.get('items', {})))}"
        if kind == "object":
            return "keys"
        if isinstance(kind, list):
            return "no value"
        mark = schema.get("x-sampark")
        mark = _MARKS.get(str(mark), mark)
        if schema.get("format") == "password":
            mark = SECRET
        words = {"string": mark or "text", "integer": "whole number", "boolean": "true or false"}
        return words.get(str(kind), str(kind or "any"))

    def _examples(self, schema: Schema) -> Iterator[Any]:
        """From the key itself, else from what it is made of."""
        yield from schema.get("examples", ())
        if "const" in schema:
            yield schema["const"]
        yield from schema.get("enum", ())
        if isinstance(schema.get("type"), list):
            yield None
        elif schema.get("type") == "boolean":
            yield True
        if "$ref" in schema:
            yield self.smallest(_model_of(schema))
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from self._examples(option)
        if isinstance(items := schema.get("items"), Mapping):
            yield from ([one] for one in self._examples(items))
        if isinstance(values := schema.get("additionalProperties"), Mapping):
            yield from ({"plain": one, "other": deepcopy(one)} for one in self._examples(values))

    def smallest(self, model: str) -> dict[str, Any]:
        """A sound mapping of this part, with no more in it than it needs."""
        if model in self._smallest:
            return deepcopy(dict(self._smallest[model]))
        schema = self.defs[model]
        return {
            key: next(self._examples(schema["properties"][key]), None)
            for key in schema.get("required", ())
        }


def _model_of(schema: Schema) -> str:
    return str(schema["$ref"]).rsplit("/", 1)[1]


def told(part: Part, *, level: int, examples: bool = True) -> str:
    """The part as Markdown: its heading, what it is about, and the table of its keys."""
    columns = ("key", "meaning", "type", "default", *(("example",) if examples else ()))
    rows = [columns]
    for key in part.keys:
        example = f"{key.name}:" if key.example is None else f"{key.name}: {inline(key.example)}"
        cells = (f"`{key.name}`", key.meaning, key.type, key.default, f"`{example}`")
        rows.append(cells[: len(columns)])
    head, *body = map(_row, rows)
    about = f"\n{'#' * level} {part.title}\n\n{_paragraphs(part.about)}\n\n"
    return "".join((about, head, f"|{'---|' * len(columns)}\n", *body))


def inline(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |\n"


def _default(schema: Schema) -> str:
    default = schema.get("default")
    if default in (None, "", []) or isinstance(default, dict):
        return ""
    return f"`{inline(default)}`"


def _plural(type_: str) -> str:
    if "`" in type_:
        return type_
    return {"keys": "keys", "any": "values"}.get(type_, f"{type_}s")


def _paragraphs(about: str) -> str:
    return "\n\n".join(" ".join(one.split()) for one in about.split("\n\n"))
