"""What an action needs beside itself: its templates in other channels, its coupon, its fields."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from crm_store.catalogue.field import Catalogue, FieldType
from crm_store.catalogue.standard import CUSTOM
from triggers.actions import MESSAGE_ACTIONS, Action, Update
from triggers.definition import CampaignDefinition
from triggers.problems import Problem
from triggers.vocabulary import Vocabulary
from triggers.yaml_builder import Location
from triggers.yaml_source import Source

COUPON = "coupon.code"
"""The field by which a template prints the customer's own code."""


def action_problems(
    definition: CampaignDefinition, source: Source, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """All that is wrong with the actions of a campaign that is sound otherwise."""
    for loc, action in placed(definition):
        yield from _fallbacks(action, source, vocabulary, loc)
        yield from _coupon(action, source, vocabulary, loc)
        if action.webhook is not None:
            yield from _host(action.webhook.url, source, vocabulary, (*loc, "webhook", "url"))
        if action.update is not None:
            yield from _values(action.update, source, vocabulary.catalogue, (*loc, "update"))


def placed(definition: CampaignDefinition) -> Iterator[tuple[Location, Action]]:
    """Every action, and where it stands in the file."""
    for index, step in enumerate(definition.steps):
        at: Location = ("steps", index)
        if step.choose is not None:
            yield from (((*at, "choose", number), way) for number, way in enumerate(step.choose))
        elif step.split is not None:
            yield from (((*at, "split", name), side) for name, side in step.split.items())
        else:
            yield at, step
        if step.on_timeout is not None:
            yield (*at, "on_timeout"), step.on_timeout


def _fallbacks(
    action: Action, source: Source, vocabulary: Vocabulary, loc: Location
) -> Iterator[Problem]:
    for number, channel in enumerate(action.fallback):
        for finding in vocabulary.templates.problems(channel, action.template):
            if finding.file:
                yield Problem(
                    finding.file, finding.line, finding.column, finding.message, finding.fix
                )
            else:
                at = (*loc, "fallback", number)
                yield source.problem(at, finding.message, finding.fix)


def _coupon(
    action: Action, source: Source, vocabulary: Vocabulary, loc: Location
) -> Iterator[Problem]:
    key = next((key for key in MESSAGE_ACTIONS if getattr(action, key)), None)
    if key is None:
        return
    prints = COUPON in vocabulary.templates.fields(action.channel, action.template)
    if prints and action.coupon is None:
        message = f"the template `{action.template}` prints `{COUPON}`, and nobody gets one here"
        yield source.problem((*loc, key), message, "add `coupon:` with the beginning of the codes")
    if action.coupon and not prints:
        message = f"the template `{action.template}` does not print `{COUPON}`"
        fix = f"write {{{{ {COUPON} }}}} into it, or leave `coupon` out"
        yield replace(source.problem((*loc, "coupon"), message, fix), severity="warning")


def _host(url: str, source: Source, vocabulary: Vocabulary, loc: Location) -> Iterator[Problem]:
    host = urlsplit(url).hostname or ""
    allowed = vocabulary.call_hosts
    if allowed is not None and host not in allowed:
        fix = f"add it to `calls: {{hosts: [{host}]}}` in club.yaml"
        yield source.problem(loc, f"club.yaml does not allow calls to `{host}`", fix)


_FITS: dict[FieldType, type | tuple[type, ...]] = {
    FieldType.TEXT: str,
    FieldType.INTEGER: int,
    FieldType.NUMBER: (int, float),
    FieldType.BOOLEAN: bool,
}


def _values(
    update: Update, source: Source, catalogue: Catalogue, loc: Location
) -> Iterator[Problem]:
    for key, value in update.fields.items():
        name = f"{CUSTOM}{key}"
        if name in catalogue and value is not None:
            kind = catalogue[name].type
            if not _fits(kind, value):
                message = f"`{key}` is a field of type {kind}, and this is none"
                yield source.problem((*loc, "fields", key), message, _HOW[kind])


_HOW = {
    FieldType.TEXT: "write a text; if it looks like a number, put it in quotes",
    FieldType.INTEGER: "write a whole number without quotes",
    FieldType.NUMBER: "write a number without quotes",
    FieldType.BOOLEAN: "write `true` or `false` without quotes",
    FieldType.DATE: "write year, month and day, such as 2026-03-01",
}


def _fits(kind: FieldType, value: Any) -> bool:
    if kind is FieldType.DATE:
        try:
            return bool(date.fromisoformat(value))
        except (TypeError, ValueError):
            return False
    is_right = isinstance(value, _FITS[kind])
    return is_right and (kind is FieldType.BOOLEAN or not isinstance(value, bool))
