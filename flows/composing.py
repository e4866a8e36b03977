"""Compose the messages of a batch: those of one template and language after each other.

What a group shares is found once, and what all need of the store is asked for together.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection

from crm_messaging.club_copy import is_of_club
from crm_messaging.compiled import Compiled, CompiledEmail
from crm_messaging.compose import NAME_FIELDS, Composer
from crm_messaging.message import Outgoing
from crm_messaging.message_fields import in_store
from crm_store import field_values
from crm_store.errors import SamparkError
from crm_store.scope import Scope
from crm_store.sending import SendFacts
from crm_store.touchpoints import Claimed
from flows.engine import Engine
from triggers.definition import CampaignDefinition

Composed: TypeAlias = tuple[Claimed, Outgoing | SamparkError, str]
"""A touchpoint, its message or why none can be made, and the language of its template."""


def composing(
    engine: Engine,
    connection: Connection,
    definition: CampaignDefinition,
    allowed: Sequence[Claimed],
    facts: Mapping[int, SendFacts],
    scope: Scope,
) -> Iterator[Composed]:
    """The messages of touchpoints that may leave, each made when it is asked for.

    What they need of the store is asked for at once. Raises `TemplateUnusable`.
    """
    groups = _alike(engine, definition, allowed, facts)
    values = _values(engine, connection, groups, scope)
    club = _club(engine, connection, groups, scope)
    ready = [(one, _composer(engine, definition, one, club), values[_asked(one)]) for one in groups]
    return _composed(ready, facts)


def _composed(
    ready: Sequence[tuple["_Group", Composer, Mapping[int, Mapping[str, Any]]]],
    facts: Mapping[int, SendFacts],
) -> Iterator[Composed]:
    for group, composer, rows in ready:
        language = group.compiled.language
        for one in group.touchpoints:
            message: Outgoing | SamparkError
            try:
                address = facts[one.id].address or ""
                message = composer.compose(one, rows[one.enrollment_id], address)
            except SamparkError as error:
                message = error
            yield one, message, language


class _Group(NamedTuple):
    """Messages of one template in one language."""

    compiled: Compiled
    channel: str
    language: str
    """Hers, with its region, for dates and amounts; else the club's."""
    touchpoints: list[Claimed]


def _alike(
    engine: Engine,
    definition: CampaignDefinition,
    allowed: Sequence[Claimed],
    facts: Mapping[int, SendFacts],
) -> list[_Group]:
    alike: dict[tuple[str, str, str, str], list[Claimed]] = defaultdict(list)
    for one in allowed:
        language = facts[one.id].language or engine.library.languages[0]
        alike[one.channel, one.step, one.variant, language].append(one)
    groups = []
    for (channel, step, variant, language), touchpoints in alike.items():
        template = definition.act(step, variant).action.template
        compiled = engine.library.load(channel, template, language)
        groups.append(_Group(compiled, channel, language, touchpoints))
    return groups


def _asked(group: _Group) -> frozenset[str]:
    """The fields of each customer that the group's template prints."""
    return frozenset(name for name in in_store(group.compiled.fields) if not is_of_club(name))


def _values(
    engine: Engine, connection: Connection, groups: Sequence[_Group], scope: Scope
) -> dict[frozenset[str], dict[int, dict[str, Any]]]:
    """By the fields asked, by enrollment: their values."""
    # Of the same fields for all languages at once: what a statement costs hardly grows with rows.
    asked: dict[frozenset[str], list[int]] = defaultdict(list)
    for group in groups:
        asked[_asked(group)] += [one.enrollment_id for one in group.touchpoints]
    return {
        fields: field_values.of_enrolled(
            connection, engine.catalogue, fields.union(NAME_FIELDS), enrollment_ids, scope
        )
        for fields, enrollment_ids in asked.items()
    }


def _club(
    engine: Engine, connection: Connection, groups: Sequence[_Group], scope: Scope
) -> dict[str, Any]:
    """The club's own fields that any of the templates prints: the same for all its customers."""
    names = {name for group in groups for name in group.compiled.fields if is_of_club(name)}
    if not names:
        return {}
    any_one = groups[0].touchpoints[0].enrollment_id
    found = field_values.of_enrolled(connection, engine.catalogue, names, [any_one], scope)
    return found[any_one]


def _composer(
    engine: Engine, definition: CampaignDefinition, group: _Group, club: dict[str, Any]
) -> Composer:
    compiled, rule = group.compiled, engine.rule_of(definition)
    counted: Sequence[int] = ()
    if engine.tracker and isinstance(compiled, CompiledEmail) and not rule.transactional:
        compiled, counted = engine.tracker.counted(definition.campaign, compiled, club)
    return Composer(
        compiled,
        group.language,
        club,
        catalogue=engine.library.catalogue,
        sender=engine.sender,
        rule=rule,
        links=engine.links,
        counted=counted,
        dlt=engine.dlt if group.channel == "sms" else None,
    )
