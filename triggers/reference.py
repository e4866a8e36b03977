"""The page of all that a campaign file may say, made from the models.

After a change of a model: `python -m triggers.reference > docs/campaign-reference.md`.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import BaseModel

from triggers.definition import CampaignDefinition
from triggers.scores import ScoresFile
from triggers.segments import SegmentsFile

Schema = Mapping[str, Any]
Path = tuple[str | int, ...]
"""Where a part stands in a file: keys, and places in lists."""

FILES: Mapping[str, type[BaseModel]] = {
    "A campaign": CampaignDefinition,
    "segments.yaml": SegmentsFile,
    "scores.yaml": ScoresFile,
}
SAME_ACTIONS = ("Step", "Branch", "Variant")
"""Parts that may hold every action: those are told once."""
_ACTION = "Action"
SMALLEST: Mapping[str, Mapping[str, Any]] = {
    "Action": {"task": {"queue": "front_desk", "title": "Call", "due": "4h"}},
    "Step": {"id": "heads_up", "at": "+1d", "email": "renewal/heads_up"},
    "Branch": {"if": "visits.last_90d >= 8", "email": "renewal/recap"},
    "Variant": {"email": "renewal/plain"},
    "Update": {"add_tags": ["renewed-online"]},
    "Date": {"type": "date", "field": "customer.joined_on"},
    "Inactivity": {"type": "inactivity", "days": 14},
    "SendWindow": {"hours": "10:00-20:00"},
    "Bounds": {"at_least": 9},
    "Defaults": {"time": "10:30"},
    "Late": {"grace": "36h"},
    "ScoreRule": {"points": 5, "event": "visit_recorded"},
}
"""The least that makes a part sound, where it is more than the keys it must have."""
_TEMPLATES = {"email": "e-mail template", "sms": "SMS template", "message": "template"}


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


class _Reader:
    """Reads one file's schema; `parts` in the order in which one meets them."""

    def __init__(self, file: str, model: type[BaseModel]) -> None:
        # As it is dumped it is also read; only this mode writes defaults as a person would.
        self.root = model.model_json_schema(mode="serialization")
        self.file = file
        self.model = model.__name__
        self.defs: Mapping[str, Any] = self.root.get("$defs", {})

    def parts(self) -> Iterator[Part]:
        waiting: list[tuple[str, Schema, Path]] = [(self.model, self.root, ())]
        seen: set[str] = set()
        while waiting:
            name, schema, path = waiting.pop(0)
            if name in seen:
                continue
            seen.add(name)
            known = set(self.defs[_ACTION]["properties"]) if name in SAME_ACTIONS else set()
            if name in SAME_ACTIONS:
                waiting.append((_ACTION, self.defs[_ACTION], (*path, "an action")))
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
                    # A union is told apart by what its `type` is.
                    kind = self.defs[child]["properties"].get("type", {}).get("const")
                    at = (*path, f"{key}: {kind}" if kind else key, *place)
                    waiting.append((child, self.defs[child], at))

    def _children(self, schema: Schema) -> Iterator[tuple[str, Path]]:
        if "$ref" in schema:
            yield schema["$ref"].rsplit("/", 1)[1], ()
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
            meaning=self._meaning(schema),
            type=self._type(schema),
            default="required" if required else _default(schema),
            example=examples[0] if examples else None,
            has_example=bool(examples),
        )

    def _meaning(self, schema: Schema) -> str:
        if told := schema.get("description"):
            return " ".join(told.split())
        if "const" in schema:
            return "The kind of trigger."
        return next(
            (
                " ".join(self.defs[name]["description"].split())
                for name, _ in self._children(schema)
            ),
            "",
        )

    def _type(self, schema: Schema) -> str:
        if "const" in schema:
            return f"`{schema['const']}`"
        if "enum" in schema:
            return " or ".join(f"`{one}`" for one in schema["enum"])
        if "$ref" in schema:
            return "keys"
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
        mark = _TEMPLATES.get(str(mark), mark)
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
            yield self.smallest(schema["$ref"].rsplit("/", 1)[1])
        for option in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            yield from self._examples(option)
        if isinstance(items := schema.get("items"), Mapping):
            yield from ([one] for one in self._examples(items))
        if isinstance(values := schema.get("additionalProperties"), Mapping):
            yield from ({"plain": one, "other": deepcopy(one)} for one in self._examples(values))

    def smallest(self, model: str) -> dict[str, Any]:
        """A sound mapping of this part, with no more in it than it needs."""
        if model in SMALLEST:
            return deepcopy(dict(SMALLEST[model]))
        schema = self.defs[model]
        return {
            key: next(self._examples(schema["properties"][key]))
            for key in schema.get("required", ())
        }


def parts() -> Iterator[Part]:
    """Every part of every file, in the order of the page."""
    for file, model in FILES.items():
        yield from _Reader(file, model).parts()


def page() -> str:
    """The page in Markdown."""
    told = [_HEAD]
    file = ""
    for part in parts():
        if part.file != file:
            file = part.file
            told.append(f"\n## {file}\n\n{_paragraphs(part.about)}\n")
        else:
            told.append(f"\n### {part.title}\n\n{_paragraphs(part.about)}\n")
        told.append("\n| key | meaning | type | default | example |\n|---|---|---|---|---|\n")
        told += (_row(key) for key in part.keys)
        if part.model in SAME_ACTIONS:
            told.append("\nBeside these, exactly one [action](#an-action).\n")
    return "".join(told)


def inline(value: Any) -> str:
    """A value as YAML on one line."""
    text = yaml.safe_dump(
        value, default_flow_style=True, width=10_000, allow_unicode=True, sort_keys=False
    )
    return text.removesuffix("\n").removesuffix("\n...")


def _row(key: Key) -> str:
    example = f"{key.name}:" if key.example is None else f"{key.name}: {inline(key.example)}"
    cells = (f"`{key.name}`", key.meaning, key.type, key.default, f"`{example}`")
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


_HEAD = """\
# Campaign reference

Every key of a campaign, of `segments.yaml` and of `scores.yaml`. How to write them is told in
[Writing a campaign and its messages](writing.md); what conditions and messages can name, in
[Fields](fields.md). A key without a default may be left out. This page is made from the program
itself, and each example on it passes `sampark check`.
"""

if __name__ == "__main__":
    print(page(), end="")
