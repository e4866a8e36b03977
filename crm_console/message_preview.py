"""One step's message as it would leave, for a customer or with the catalogue's examples."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from crm_messaging.club_copy import is_of_club
from crm_messaging.compiled import CompiledEmail, CompiledSms
from crm_messaging.dlt import INDIA, NotRegistered, tags_for
from crm_messaging.message import EmailParts
from crm_messaging.message_fields import UNSUBSCRIBE_URL
from crm_messaging.render import render_email, render_sms, values_for
from crm_messaging.sms_cost import SmsEstimate, country_of, estimate
from crm_store.catalogue.event_fields import event_fields, key_of
from crm_store.errors import SamparkError, UnknownName
from flows.foresight.anchors import own_event
from flows.project import Project
from triggers.definition import CampaignDefinition
from triggers.event_data import data_in_tests
from triggers.problems import choose_from
from triggers.steps import Act

ValuesOf = Callable[[frozenset[str]], dict[str, Any]]
"""The value of each of these fields, by name."""


@dataclass(frozen=True)
class SmsPreview:
    """A finished text message, and what comes of sending it."""

    text: str
    estimate: SmsEstimate
    currency: str
    not_registered: str = ""
    """Why it may not leave for India, if so."""

    def to_json(self) -> dict[str, Any]:
        """The stable form within `preview --json`."""
        size, national = self.estimate.size, self.estimate.national
        return {
            "encoding": size.encoding,
            "segments": size.segments,
            "units": size.units,
            "left": size.left,
            "country": self.estimate.country,
            "cost": None if self.estimate.cost is None else str(self.estimate.cost),
            "currency": self.currency,
            "national_segments": national.segments if national else None,
            "not_registered": self.not_registered or None,
        }


@dataclass(frozen=True)
class Preview:
    """A finished message: `email` or `sms`."""

    campaign: str
    step: str
    channel: str
    template: str
    language: str
    email: EmailParts | None = None
    sms: SmsPreview | None = None

    def to_json(self) -> dict[str, Any]:
        """The stable form of `preview --json`."""
        return {
            "campaign": self.campaign,
            "step": self.step,
            "channel": self.channel,
            "template": self.template,
            "language": self.language,
            "subject": self.email.subject if self.email else None,
            "text": self.email.text if self.email else self.sms and self.sms.text,
            "html": self.email.html if self.email else None,
            "sms": self.sms.to_json() if self.sms else None,
        }


def find_act(project: Project, campaign: str, step: str) -> tuple[CampaignDefinition, Act]:
    """A message of a sound campaign: `offer`, or one side of a fork, `offer.discount`.

    A fork's own name means its first message. Raises `UnknownName`, or tells what is wrong with
    the file.
    """
    for one in project.check(campaign):
        if one.definition is not None and one.definition.campaign == campaign:
            break
        if one.definition is None and campaign in (one.path.stem, one.problems[0].campaign):
            raise SamparkError(str(one.problems[0]), "Mend it first; `sampark check` names all.")
    else:
        sound = (one.definition for one in project.check())
        known = [definition.campaign for definition in sound if definition is not None]
        raise UnknownName(f"There is no campaign {campaign}.", choose_from(campaign, known))
    acts = [act for act in one.definition.acts() if act.action.writes]
    for act in acts:
        if step in (act.name, act.step):
            return one.definition, act
    known = [act.name for act in acts]
    raise UnknownName(f"{campaign} sends no {step}.", choose_from(step, known))


def preview_of(
    project: Project,
    definition: CampaignDefinition,
    act: Act,
    *,
    language: str,
    values_of: ValuesOf,
    number: str | None = None,
) -> Preview:
    """The message of a step. `language` may be any: the nearest that is there is taken.

    A text message goes to `number` (E.164), else to one of the club's country. Raises
    `RenderError` when the message cannot be made with these values.
    """
    channel, template = act.action.channel, act.action.template
    compiled = project.library.load(channel, template, language)
    row = values_of(compiled.fields)
    if UNSUBSCRIBE_URL in row and definition.topic in project.settings.transactional:
        row = {**row, UNSUBSCRIBE_URL: None}
    values = values_for(row, compiled.language, project.library.catalogue)
    place = (definition.campaign, act.name, channel, template, compiled.language)
    if isinstance(compiled, CompiledEmail):
        return Preview(*place, email=render_email(compiled, values))
    return Preview(*place, sms=_text_message(project, channel, compiled, values, number))


def _text_message(
    project: Project,
    channel: str,
    compiled: CompiledSms,
    values: dict[str, Any],
    number: str | None,
) -> SmsPreview:
    club = project.settings.club
    # A messenger's message costs no segments, and no operator looks into it.
    sms = project.settings.channels.sms if channel == "sms" else None
    country = (number and country_of(number)) or club.country
    text = render_sms(compiled, values)
    if sms is None:
        return SmsPreview(text, estimate(text, country, {}), club.currency)
    found = estimate(text, country, sms.prices, sms.segment_header)
    to = number or (INDIA if country == "IN" else "")
    try:
        tags_for(text, to, compiled.dlt, sms.dlt)
    except NotRegistered as error:
        return SmsPreview(text, found, club.currency, str(error))
    return SmsPreview(text, found, club.currency)


def example_values(
    project: Project, definition: CampaignDefinition, act: Act, language: str
) -> ValuesOf:
    """The catalogue's examples, the club's own facts, and what an event might say."""
    club = project.settings.club

    def values_of(fields: frozenset[str]) -> dict[str, Any]:
        values = project.library.example_row(act.action.channel, act.action.template, language)
        ours = {name: getattr(club, name.partition(".")[2]) for name in fields if is_of_club(name)}
        told = example_data(project, definition, act, language, event_fields(fields))
        return values | ours | told

    return values_of


def example_data(
    project: Project,
    definition: CampaignDefinition,
    act: Act,
    language: str,
    fields: Collection[str],
) -> dict[str, Any]:
    """What the campaign's event might say: as in its tests, else what the template can show."""
    if not fields:
        return {}
    own = own_event(definition.trigger, {}, {})
    told = dict(own[1]) if own else {}
    # The first test that has a key says what it is like.
    for data in reversed([*data_in_tests(definition)]):
        told |= data
    row = project.library.example_row(act.action.channel, act.action.template, language)
    return {name: told.get(key_of(name), row[name]) for name in fields}
