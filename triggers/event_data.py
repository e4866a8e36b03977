"""What a campaign's messages say of the event that starts it: whether there is one, and its keys.

An event's data is whatever its sender writes, so nobody can say that a key is never there. What
is known are the keys of events that are kept in tables of their own, and those that the campaign
itself names: in the trigger's filter and in the events of its tests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from crm_store.catalogue.event_fields import event_fields, key_of
from crm_store.event_names import DATA_OF
from triggers.action_checks import placed
from triggers.actions import MESSAGE_ACTIONS, Action
from triggers.definition import CampaignDefinition
from triggers.kinds.event import Event
from triggers.problems import Problem, choose_from, nearest
from triggers.vocabulary import Vocabulary
from triggers.yaml_builder import Location
from triggers.yaml_source import Source

_NEAR = 0.75
"""So near are `amount` and `amout`."""


def event_data_problems(
    definition: CampaignDefinition, source: Source, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """All that is wrong with `event.<key>` in the texts of a campaign that is sound otherwise."""
    named, trigger = _named_keys(definition), definition.trigger
    for loc, action in placed(definition):
        for text in _texts(action, loc, vocabulary):
            for name in event_fields(text.fields):
                here = source.problem(text.at, "")
                if not trigger.by_event_alone or trigger.listens_to is None:
                    message = f"{text.what} says `{name}`, and no event starts this campaign"
                    fix = "take it out, or start the campaign by an event, such as `type: event`"
                    yield replace(here, message=message, fix=fix)
                    continue
                for slip in _misspelt(trigger.listens_to, here, text.what, name, named):
                    yield from _where_written(slip, text, name, vocabulary)


@dataclass(frozen=True)
class _Text:
    """A text in which an event's data can stand."""

    at: Location
    """Where the campaign's file has it, or names it."""
    what: str
    fields: frozenset[str]
    template: tuple[str, str] | None = None
    """Its channel and name, where it is a template."""


def _texts(action: Action, loc: Location, vocabulary: Vocabulary) -> Iterator[_Text]:
    shelf = vocabulary.templates
    for key in MESSAGE_ACTIONS:
        if getattr(action, key):
            what = f"the template `{action.template}`"
            template = action.channel, action.template
            yield _Text((*loc, key), what, shelf.fields(*template), template)
            for number, channel in enumerate(action.fallback):
                template = channel, action.template
                yield _Text((*loc, "fallback", number), what, shelf.fields(*template), template)
    if action.task is not None:
        at = (*loc, "task", "title")
        yield _Text(at, "the title", shelf.filled_fields(action.task.title))
    if action.webhook is not None:
        for key, text in action.webhook.data.items():
            at = (*loc, "webhook", "data", key)
            yield _Text(at, f"`{key}`", shelf.filled_fields(text))


def _where_written(
    slip: Problem, text: _Text, name: str, vocabulary: Vocabulary
) -> Iterator[Problem]:
    """The slip in each file of its template; in the campaign's where none of them names it."""
    places = vocabulary.templates.places(*text.template, name) if text.template else ()
    for file, line, column in places:
        yield replace(slip, file=file, line=line, column=column)
    if not places:
        yield slip


def _misspelt(
    started_by: str, at: Problem, what: str, name: str, named: set[str]
) -> Iterator[Problem]:
    key, known = key_of(name), DATA_OF.get(started_by)
    if known is not None and key not in known:
        message = f"{what} says `{name}`, and a `{started_by}` has no `{key}`"
        yield replace(at, message=message, fix=choose_from(key, known, "take it out"))
    elif key not in named and (near := nearest(key, named, cutoff=_NEAR)):
        message = f"{what} says `{name}`, where the trigger and the tests name `{near}`"
        fix = f"did you mean `event.{near}`?"
        yield replace(at, message=message, fix=fix, severity="warning")


def _named_keys(definition: CampaignDefinition) -> set[str]:
    """The keys of its event's data that the campaign names itself."""
    trigger = definition.trigger
    named = set(trigger.where) if isinstance(trigger, Event) else set[str]()
    return named.union(*data_in_tests(definition))


def data_in_tests(definition: CampaignDefinition) -> Iterator[Mapping[str, Any]]:
    """The data of each event that starts the campaign in one of its tests."""
    for test in definition.tests:
        events = test.given.get("events")
        # What is wrong with a test is told where tests are read.
        for event in events if isinstance(events, list) else ():
            if isinstance(event, dict) and event.get("name") == definition.trigger.listens_to:
                data = event.get("data")
                if isinstance(data, dict):
                    yield {str(key): value for key, value in data.items()}
