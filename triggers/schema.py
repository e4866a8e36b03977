"""The JSON Schemas of what a club writes, with its own names, for completion in editors."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel

from triggers.definition import CampaignDefinition
from triggers.names import MARK, Kind
from triggers.scores import ScoresFile
from triggers.segments import SegmentsFile
from triggers.vocabulary import Vocabulary


def schemas(vocabulary: Vocabulary) -> dict[str, dict[str, Any]]:
    """The schemas of all that a club writes beside club.yaml, by the name of what it is."""
    models: dict[str, type[BaseModel]] = {
        "campaign": CampaignDefinition,
        "segments": SegmentsFile,
        "scores": ScoresFile,
    }
    return {name: schema_of(model, vocabulary) for name, model in models.items()}


def schema_of(model: type[BaseModel], vocabulary: Vocabulary) -> dict[str, Any]:
    """JSON Schema 2020-12 of a file; the club's names stand in it as enumerations."""
    # As it is dumped it is also read; only this mode writes defaults as a person would.
    schema = model.model_json_schema(mode="serialization")
    fields = _fields(vocabulary)

    def fill(node: dict[str, Any]) -> None:
        # An optional text is marked one level below the description that editors show.
        if any(option.get(MARK) == Kind.CONDITION for option in node.get("anyOf", ())):
            node["description"] = f"{node['description']}\n\n{fields}"
        elif node.get(MARK) == Kind.CONDITION and "description" in node:
            node["description"] += f"\n\n{fields}"
        kind = node.pop(MARK, None)
        if kind is not None and (names := vocabulary.names(Kind(kind))):
            node["enum"] = sorted(set(names))
            # An example that this club has no name for would be a mistake there.
            node.pop("examples", None)

    _each(schema, fill)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _fields(vocabulary: Vocabulary) -> str:
    rows = [f"- {field.name}: {field.label} ({field.type})" for field in vocabulary.catalogue]
    return "A condition over these fields:\n" + "\n".join(rows)


def _each(node: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Call `change` for every mapping of the schema."""
    if isinstance(node, dict):
        change(node)
        for child in node.values():
            _each(child, change)
    elif isinstance(node, list):
        for child in node:
            _each(child, change)
