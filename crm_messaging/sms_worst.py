"""How long a text message gets with the longest values that real customers have."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from itertools import product
from typing import Any

from crm_messaging.render import RenderError, render_sms, values_for
from crm_messaging.sms_segments import count, room
from crm_messaging.template_library import TemplateLibrary
from crm_messaging.template_problems import TemplateFinding, TemplateUnusable
from crm_store.catalogue.event_fields import EVENT
from crm_store.catalogue.field import Field, FieldType

MOST_SEGMENTS = 2
"""A text message that takes more costs more than it says."""

_LONG_FIRST_NAMES = {"hi": "ज्ञानेश्वरी", "ru": "Константин"}
_LONG_FIRST_NAME = "Christopher"
_NUMBERS = (0, 188)
_LARGE_AMOUNT = 88_888
_MONTHS = range(1, 13)
_COUNTED = {FieldType.INTEGER, FieldType.NUMBER}
_HEADER = 6
"""Octets of a part that tell it from the others."""


def too_long(library: TemplateLibrary, name: str, club: Mapping[str, Any]) -> list[TemplateFinding]:
    """A finding for each language in which the text takes too many segments.

    `club` holds the club's own values by field, such as ``club.name``. Templates that are wrong
    in any other way are left out: what they would say is not known.
    """
    findings = []
    for language in library.languages:
        sizes = map(count, long_texts(library, name, language, club))
        size = max(sizes, key=lambda size: (size.segments, size.units), default=None)
        if size is None or size.segments <= MOST_SEGMENTS:
            continue
        over = max(size.units - MOST_SEGMENTS * room(size.encoding, _HEADER), 1)
        message = f"with a long name and a long date this takes {size.segments} segments"
        message += f" ({size.units} characters of {size.encoding})"
        fix = f"Shorten it by {over} character{'s' * (over > 1)}, to {MOST_SEGMENTS} segments."
        file = f"{library.root.name}/{language}/sms/{name}.txt"
        findings.append(TemplateFinding(file, 1, 1, message, fix))
    return findings


def long_texts(
    library: TemplateLibrary, name: str, language: str, club: Mapping[str, Any]
) -> list[str]:
    """What a text message says to customers with long values; nothing if it cannot be used."""
    try:
        # Where a language has no text of its own, another one's is not judged twice.
        if library.resolve("sms", name, language) != language:
            return []
        template = library.load_sms(name, language)
    except TemplateUnusable:
        return []
    texts = []
    for row in _rows(library, name, template.fields, language, club):
        try:
            texts.append(render_sms(template, values_for(row, language, library.catalogue)))
        except RenderError:
            continue
    return texts


def _rows(
    library: TemplateLibrary,
    name: str,
    fields: frozenset[str],
    language: str,
    club: Mapping[str, Any],
) -> Iterator[dict[str, Any]]:
    """Customers with long values: each way through the text that numbers and answers open.

    And the same without a name, and without what an event need not say: the words for those
    cases can be longer.
    """
    chosen = [library.catalogue[name] for name in sorted(fields)]
    if any(one.type is FieldType.ANY for one in chosen):
        kinds = library.event_kinds("sms", name, language)
        chosen = [replace(one, type=kinds.get(one.name, one.type)) for one in chosen]
    types = {one.type for one in chosen}
    numbers = _NUMBERS if types & _COUNTED else _NUMBERS[:1]
    answers = (True, False) if FieldType.BOOLEAN in types else (True,)
    months = _MONTHS if FieldType.DATE in types else _MONTHS[:1]
    nameless = {one.name: None for one in chosen if one.name == "customer.first_name"}
    untold = {one.name: None for one in chosen if one.name.startswith(EVENT)}
    for number, answer, month in product(numbers, answers, months):
        row = {one.name: _value(one, language, club, number, answer, month) for one in chosen}
        yield row
        yield from (row | absent for absent in (nameless, untold) if absent)


def _value(
    field: Field, language: str, club: Mapping[str, Any], number: int, answer: bool, month: int
) -> Any:
    if field.name in club:
        return club[field.name]
    is_told = field.name.startswith(EVENT)
    if field.name == "customer.first_name" or (is_told and field.type is FieldType.TEXT):
        return _LONG_FIRST_NAMES.get(language, _LONG_FIRST_NAME)
    match field.type:
        case FieldType.NUMBER if is_told:
            return _LARGE_AMOUNT if number else 0
        case FieldType.DATE if is_told:
            return f"2026-{month:02}-28T22:30"
        case kind if kind in _COUNTED:
            return number
        case FieldType.BOOLEAN:
            return answer
        case FieldType.DATE:
            return date(2026, month, 28)
    return field.example_in_a_row
