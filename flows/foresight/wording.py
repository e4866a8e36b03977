"""Whether the messages that speak of an event can be made: they are made, and thrown away.

No other message is made on a scratch store. What an event says comes from outside, so whether it
says enough is known for each customer alone.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence

from sqlalchemy import Connection

from crm_messaging.club_copy import club_copy
from crm_messaging.compiled import Compiled, CompiledEmail
from crm_messaging.form import links_in
from crm_messaging.message_fields import COUPON, examples, in_store
from crm_messaging.render import RenderError, render_for_wire, render_sms, values_for
from crm_messaging.template_problems import TemplateUnusable
from crm_store import field_values
from crm_store.catalogue.event_fields import event_fields
from crm_store.models.touchpoint import State
from crm_store.reasons import Reason
from crm_store.scope import Scope
from crm_store.sending import WEBHOOK, SendFacts
from crm_store.touchpoints import Claimed, Ruling
from flows.calling import calls_of
from flows.engine import Engine
from triggers.definition import CampaignDefinition


def not_to_be_made(
    engine: Engine,
    connection: Connection,
    definition: CampaignDefinition,
    batch: Sequence[Claimed],
    facts: Mapping[int, SendFacts],
    scope: Scope,
) -> list[Ruling]:
    """Rulings on those of a batch whose messages say what their events do not."""
    speaking = _that_speak(engine, definition, {_text_of(one) for one in batch})
    if not speaking:
        return []
    chosen = [one for one in batch if _text_of(one) in speaking]
    calls = [one for one in chosen if one.channel == WEBHOOK]
    messages = [one for one in chosen if one.channel != WEBHOOK]
    failed = [
        (one, made)
        for one, made in calls_of(engine, connection, definition, calls, scope)
        if isinstance(made, RenderError)
    ]
    failed += _unsayable(engine, connection, definition, messages, facts, scope)
    return [Ruling(one.id, State.FAILED, Reason.TEMPLATE, str(error)) for one, error in failed]


def _text_of(one: Claimed) -> tuple[str, str, str]:
    return one.step, one.variant, one.channel


def _that_speak(
    engine: Engine, definition: CampaignDefinition, texts: Collection[tuple[str, str, str]]
) -> set[tuple[str, str, str]]:
    return {text for text in texts if event_fields(_fields(engine, definition, *text))}


def _fields(
    engine: Engine, definition: CampaignDefinition, step: str, variant: str, channel: str
) -> frozenset[str]:
    action, library = definition.act(step, variant).action, engine.library
    try:
        if action.webhook is None:
            return library.fields(channel, action.template)
        texts = action.webhook.data.values()
        return frozenset().union(*map(library.filled_fields, texts))
    except TemplateUnusable:
        return frozenset()  # of an older version of the file: nobody can say what it would need


def _unsayable(
    engine: Engine,
    connection: Connection,
    definition: CampaignDefinition,
    batch: Sequence[Claimed],
    facts: Mapping[int, SendFacts],
    scope: Scope,
) -> Iterator[tuple[Claimed, RenderError]]:
    library = engine.library
    alike: dict[tuple[str, str, str], list[Claimed]] = defaultdict(list)
    for one in batch:
        name = definition.act(one.step, one.variant).action.template
        language = facts[one.id].language or library.languages[0]
        alike[one.channel, name, language].append(one)
    for (channel, name, language), same in alike.items():
        compiled = library.load(channel, name, language)
        fields, ids = in_store(compiled.fields), [one.enrollment_id for one in same]
        rows = field_values.of_enrolled(connection, library.catalogue, fields, ids, scope)
        of_message = examples(compiled.fields)
        for one in same:
            row = {**rows[one.enrollment_id], **of_message}
            if COUPON in row:
                row[COUPON] = one.coupon
            try:
                _say(compiled, values_for(row, language, library.catalogue))
            except RenderError as error:
                yield one, error


def _say(compiled: Compiled, values: Mapping[str, object]) -> None:
    if isinstance(compiled, CompiledEmail):
        render_for_wire(club_copy(compiled, values), values, links_in(values))
    else:
        render_sms(compiled, values)
