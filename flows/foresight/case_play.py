"""A campaign's tests, played through the real engine on a scratch store."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from difflib import SequenceMatcher

from sqlalchemy import Connection

from crm_store import history
from crm_store.dossiers import insert_dossiers
from crm_store.errors import SamparkError
from crm_store.events import record
from crm_store.history import EnrollmentRecord, TouchpointRecord
from crm_store.models.campaign import EnrollmentStatus
from crm_store.models.touchpoint import WAITING, State
from crm_store.reasons import Reason, sentence_of
from crm_store.scratch import forget_everybody
from flows.campaigns import RunningCampaign, load_campaigns
from flows.engine import Engine
from flows.foresight.asking import Answer, ask
from flows.foresight.long_pause import LongPause
from flows.foresight.next_entry import NextEntry
from flows.foresight.persona import CannotBeGiven, Happening, Persona, persona_of
from flows.foresight.play import MINUTE, HandClock, Play
from flows.foresight.scratch_engine import engine_on_nothing
from flows.project import Project
from triggers.chance import is_held_out, side_of
from triggers.check import CheckedFile
from triggers.definition import CampaignDefinition
from triggers.steps import TIMEOUT
from triggers.test_cases import Expected, TestCase
from triggers.timeline import instant

TAIL = timedelta(days=400)
"""How long a test goes on after the last day on which the customer can enter."""
_SENT = (State.ACCEPTED, State.DONE)
_TRIES = 10_000


@dataclass(frozen=True)
class Got:
    """A step that was done, and when by the customer's calendar."""

    step: str
    variant: str
    on: date

    def is_called(self, name: str) -> bool:
        """Whether a test means this step by `name`."""
        return name in (self.step, f"{self.step}.{self.variant}")


@dataclass(frozen=True)
class Difference:
    """A step that was expected and did not come so, or came and was not expected."""

    step: str
    expected: str | None
    """`2026-03-04`, or `yes` where any day is right; nothing when it was not expected."""
    got: str | None
    why: str


@dataclass(frozen=True)
class Played:
    """A test and how it went."""

    case: TestCase
    campaign: str
    got: Sequence[Got]
    differences: Sequence[Difference] = field(default=())
    unfit: str | None = None
    """Why it could not be played at all."""

    @property
    def passed(self) -> bool:
        return not self.differences and self.unfit is None


def play_cases(
    project: Project, cases: Sequence[tuple[CheckedFile, Sequence[TestCase]]]
) -> Iterator[Played]:
    """Play the tests of sound campaign files, each on a scratch store with nobody else in it."""
    clock = HandClock(datetime.min.replace(tzinfo=UTC))
    with engine_on_nothing(project, clock) as engine, asyncio.Runner() as runner:
        for checked, of_file in cases:
            (campaign,), _ = load_campaigns(engine.store, [checked], engine.catalogue, clock.now)
            for case in of_file:
                yield _play(project, engine, clock, campaign, case, runner)


def _play(
    project: Project,
    engine: Engine,
    clock: HandClock,
    campaign: RunningCampaign,
    case: TestCase,
    runner: asyncio.Runner,
) -> Played:
    definition = campaign.current.definition
    language = project.settings.club.languages[0]
    try:
        persona = persona_of(case, definition, project.catalogue, project.zone, language)
    except CannotBeGiven as error:
        return Played(case, campaign.slug, (), unfit=str(error))
    clock.now = persona.begins
    number = persona.dossier.customer["id"] = _number(definition, case)
    forget_everybody(engine.store)
    with engine.store.write() as connection:
        insert_dossiers(connection, engine.club_id, [persona.dossier])
    play = Play(
        engine,
        clock,
        [campaign],
        next_entry=NextEntry(engine, campaign, persona.until),
        long_pause=LongPause(engine, campaign),
    )
    for happening in persona.happenings:
        play.will_happen(happening.at, _Recording(number, happening))
    try:
        runner.run(_to_the_end(play, persona, stops=case.until is not None))
    except SamparkError as error:
        # Also an event of the test's that would be refused anywhere.
        return Played(case, campaign.slug, (), unfit=f"{error.reason} {error.instruction}")
    with engine.store.read() as connection:
        return _compared(connection, engine, campaign, persona, case, number, clock.now)


async def _to_the_end(play: Play, persona: Persona, *, stops: bool) -> None:
    await play.run(persona.until)
    zone = play.engine.club_zone
    last_night = instant(persona.until.astimezone(zone).date(), time.min, zone)
    play.clock.now = max(play.clock.now, last_night)
    if not stops:
        await play.run_out(persona.until + TAIL)


@dataclass(frozen=True)
class _Recording:
    """Writes an event down when its moment has come."""

    customer_id: int
    happening: Happening

    def __call__(self, connection: Connection) -> None:
        record(
            connection,
            customer_id=self.customer_id,
            name=self.happening.name,
            data=self.happening.data,
            source="test",
            occurred_at=self.happening.at,
            now=self.happening.at,
        )


def _number(definition: CampaignDefinition, case: TestCase) -> int:
    """A customer number whom chance neither holds out nor puts on a side not expected."""
    wanted = {one.step for one in case.expect}
    splits = [
        (step, {side for side in step.split if f"{step.id}.{side}" in wanted} or set(step.split))
        for step in definition.steps
        if step.split is not None
    ]
    for number in range(1, _TRIES):
        fits = all(side_of(definition, step, number) in sides for step, sides in splits)
        if fits and not is_held_out(definition, number):
            return number
    return 1


def _compared(
    connection: Connection,
    engine: Engine,
    campaign: RunningCampaign,
    persona: Persona,
    case: TestCase,
    customer_id: int,
    now: datetime,
) -> Played:
    enrollments = history.enrollments_of(connection, customer_id)
    touchpoints = [
        one for record in enrollments for one in history.touchpoints_of(connection, record.id)
    ]
    done = sorted(
        (one for one in touchpoints if one.state in _SENT),
        key=lambda one: (one.sent_at or one.settled_at or now, one.id),
    )
    got = [
        Got(
            one.step,
            one.variant,
            (one.sent_at or one.settled_at or now).astimezone(persona.zone).date(),
        )
        for one in done
    ]
    outcome = _Outcome(enrollments, touchpoints, campaign)
    if not enrollments:
        outcome.answer = ask(connection, engine, campaign.current.definition, customer_id, now)
    differences = list(_differences(case.expect, got, outcome))
    return Played(case, campaign.slug, got, differences)


@dataclass
class _Outcome:
    """All that the engine decided, to say why a step is not there."""

    enrollments: Sequence[EnrollmentRecord]
    touchpoints: Sequence[TouchpointRecord]
    campaign: RunningCampaign
    answer: Answer | None = None

    def why_not(self, name: str) -> str:
        """Why the step of this name was not done."""
        if not self.enrollments:
            return self.answer.sentence() if self.answer else ""
        for one in self.touchpoints:
            if name in (one.step, f"{one.step}.{one.variant}"):
                if one.state in WAITING:
                    return f"still waits: {sentence_of(one.reason) or 'nothing was in its way'}"
                return sentence_of(one.reason) + self._condition(one) + _detail(one)
        ways = [one for one in self.touchpoints if one.step == name.split(".")[0]]
        if ways:
            return f"went another way: {', '.join(f'{one.step}.{one.variant}' for one in ways)}"
        match self.enrollments[-1].status:
            case EnrollmentStatus.EXITED:
                return "the campaign had ended for the customer: " + (
                    sentence_of(self.enrollments[-1].end_reason) or "an exit event came"
                )
            case EnrollmentStatus.ACTIVE:
                return "its time had not come when the test ended"
        return "nothing made it due"

    def _condition(self, one: TouchpointRecord) -> str:
        if one.reason != "condition":
            return ""
        condition = self.campaign.current.conditions.get((one.step, ""))
        return f" ({condition.text})" if condition else ""


def _detail(one: TouchpointRecord) -> str:
    return f" ({one.detail})" if one.reason == Reason.TEMPLATE and one.detail else ""


def _differences(
    expect: Sequence[Expected], got: Sequence[Got], outcome: _Outcome
) -> Iterator[Difference]:
    names = [one.step for one in expect]
    # What is done when no answer comes belongs to its step: it counts where the test names it.
    got = [one for one in got if not one.step.endswith(f".{TIMEOUT}") or one.step in names]
    # Each step that came, under the name that the test has for it.
    came = [next((name for name in names if one.is_called(name)), one.step) for one in got]
    matcher = SequenceMatcher(None, names, came, autojunk=False)
    for tag, first, last, start, end in matcher.get_opcodes():
        if tag == "equal":
            for wanted, one in zip(expect[first:last], got[start:end], strict=True):
                if wanted.on not in (None, one.on):
                    yield Difference(wanted.step, str(wanted.on), str(one.on), _moved(one, outcome))
            continue
        for wanted in expect[first:last]:
            elsewhere = wanted.step in came
            why = "it came, but in another order" if elsewhere else outcome.why_not(wanted.step)
            yield Difference(wanted.step, str(wanted.on) if wanted.on else "yes", None, why)
        for name, one in zip(came[start:end], got[start:end], strict=True):
            yield Difference(name, None, str(one.on), "nothing held it back")


def _moved(one: Got, outcome: _Outcome) -> str:
    """Why a step came on another day than its own."""
    for touchpoint in outcome.touchpoints:
        if touchpoint.step == one.step and touchpoint.sent_at is not None:
            if touchpoint.sent_at > touchpoint.due_at + MINUTE:
                return "it was held back"
            break
    return "it was due then"
