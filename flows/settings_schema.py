"""The JSON Schema of club.yaml, for completion in editors."""

from collections.abc import Mapping
from typing import Any

from flows.settings import Settings


def settings_schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of what may stand in the file: no secret may."""
    # As it is dumped it is also read; only this mode writes defaults as a person would.
    schema = Settings.model_json_schema(mode="serialization")
    for part in (schema, *schema["$defs"].values()):
        if keys := part.get("properties"):
            part["properties"] = {name: key for name, key in keys.items() if not _is_secret(key)}
    topics = schema["properties"]["topics"]
    names = {"type": "array", "items": {"type": "string"}}
    schema["properties"]["topics"] = {
        "description": topics.pop("description"),
        "anyOf": [topics, names],
    }
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _is_secret(key: Mapping[str, Any]) -> bool:
    return any(one.get("format") == "password" for one in (key, *key.get("anyOf", ())))
