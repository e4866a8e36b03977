"""The values of the fields `event.<key>`, for many enrollments at once."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, select

from crm_store.catalogue.event_fields import Plain, key_of, plain
from crm_store.enrollments import ENROLLMENT
from crm_store.happenings import kept_elsewhere
from crm_store.models.event import Event
from crm_store.tables import table_of

_ANSWERS = "answers"
_EVENT = table_of(Event)
# As text, read row by row: data that cannot be read is missing, and ends nobody else's message.
_DATA = (
    select(cast(_EVENT.c.data, Text)).where(_EVENT.c.id == ENROLLMENT.c.event_id).scalar_subquery()
)
_KEPT = kept_elsewhere(ENROLLMENT)


def data_columns(names: Sequence[str]) -> list[ColumnElement[Any]]:
    """What to select over enrollments, for `data_values` to read these fields from."""
    return [_DATA, *(_KEPT[key] for key in _kept_keys(names))] if names else []


def data_values(names: Sequence[str], selected: Sequence[Any]) -> dict[str, Plain | None]:
    """The fields of one enrollment, from what `data_columns` of the same names selected."""
    data = dict(zip(_kept_keys(names), selected[1:], strict=True)) | _read(selected[0])
    return {name: plain(data.get(key_of(name))) for name in names}


def _read(written: str | None) -> dict[str, Any]:
    """The data; what somebody answered in a form counts as keys of it."""
    try:
        data = json.loads(written or "{}")
    except (ValueError, RecursionError):
        return {}
    if not isinstance(data, dict):
        return {}
    answers = data.get(_ANSWERS)
    return {**answers, **data} if isinstance(answers, dict) else data


def _kept_keys(names: Sequence[str]) -> list[str]:
    return [key for key in map(key_of, names) if key in _KEPT]
