"""The `tests:` of a campaign file: what is given, and the steps that are expected.

`given` speaks of one customer in the words of the catalogue of fields. Every mistake is told at
its line and column, as in the rest of the file.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from pydantic_core import PydanticCustomError

from crm_store.catalogue.field import Catalogue, Field, FieldType
from triggers.definition import CampaignDefinition
from triggers.offsets import Offset
from triggers.problems import Problem, choose_from
from triggers.yaml_builder import Location
from triggers.yaml_source import Source

NOON = time(12)
"""Of an event with a day and no time."""
_OWN_KEYS = ("today", "until", "events")


@dataclass(frozen=True)
class GivenEvent:
    """An event of the test: when, by the campaign's anchor or by the club's clock, and what."""

    at: Offset | datetime
    name: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Expected:
    """A step that the customer has to get, by its name, and on which day of the customer's."""

    step: str
    on: date | None


@dataclass(frozen=True)
class TestCase:
    """One test of a campaign, read."""

    __test__ = False  # pytest takes every class of this name for its own

    name: str
    file: str
    line: int
    column: int
    today: date | None
    until: date | None
    fields: dict[str, Any]
    """By name, in the field's own type; none where the file says `null`."""
    visited: Sequence[date]
    events: Sequence[GivenEvent]
    expect: Sequence[Expected]


def read_tests(
    source: Source, definition: CampaignDefinition, catalogue: Catalogue
) -> tuple[list[TestCase], list[Problem]]:
    """The tests of a sound campaign file, and what is wrong with the others."""
    cases, problems = [], []
    for index in range(len(definition.tests)):
        reader = _Reader(source, definition, catalogue, ("tests", index))
        case = reader.read()
        problems += reader.problems
        if not reader.problems:
            cases.append(case)
    return cases, problems


@dataclass
class _Reader:
    source: Source
    definition: CampaignDefinition
    catalogue: Catalogue
    at: Location
    problems: list[Problem] = field(default_factory=list)

    def read(self) -> TestCase:
        test = self.definition.tests[int(self.at[1])]
        line, column = self.source.position((*self.at, "name"))
        known = {*_OWN_KEYS, *self._families()}
        for key in test.given:
            if key not in known:
                self._wrong(("given", key), f"nothing called `{key}` can be given", key, known)
        visits = test.given.get("visits")
        fields = dict(self._fields(test.given))
        return TestCase(
            name=test.name,
            file=self.source.name,
            line=line,
            column=column,
            today=self._date(("given", "today"), test.given.get("today")),
            until=self._date(("given", "until"), test.given.get("until")),
            fields=fields,
            visited=list(self._visited(visits)) if isinstance(visits, list) else (),
            events=list(self._events(test.given.get("events", []))),
            expect=list(self._expected(test.expect)),
        )

    def _families(self) -> set[str]:
        # What club.yaml says of the club holds in a test too.
        return self.catalogue.families() - {"club"}

    def _fields(self, given: dict[str, Any]) -> Iterator[tuple[str, Any]]:
        for family in sorted(self._families() & set(given)):
            values = given[family]
            if family == "visits" and isinstance(values, list):
                continue
            if not isinstance(values, dict):
                fix = f"write `{family}: {{…}}` with fields in it"
                self._tell(("given", family), f"`{family}` must be keys with values", fix)
                continue
            names = {
                one.name.partition(".")[2]: one
                for one in self.catalogue
                if one.name.startswith(f"{family}.")
            }
            for key, value in values.items():
                loc: Location = ("given", family, key)
                if key not in names:
                    self._wrong(loc, f"there is no field `{family}.{key}`", key, names, key=True)
                else:
                    yield f"{family}.{key}", self._value(loc, names[key], value)

    def _value(self, loc: Location, of: Field, value: Any) -> Any:
        if value is None:
            return None
        match of.type:
            case FieldType.DATE:
                return self._date(loc, value)
            case FieldType.TAGS:
                wanted, fits = "a list of words, such as [vip]", _is_words(value)
            case FieldType.BOOLEAN:
                wanted, fits = "true or false", isinstance(value, bool)
            case FieldType.INTEGER:
                wanted, fits = "a whole number", type(value) is int
            case FieldType.NUMBER:
                wanted, fits = "a number", type(value) in (int, float)
            case FieldType.TEXT:
                wanted, fits = "a text", isinstance(value, str)
        if not fits:
            self._tell(loc, f"`{of.name}` must be {wanted}", f"such as: {_example(of)}")
        return value

    def _date(self, loc: Location, value: Any) -> date | None:
        if value is None:
            return None
        try:
            return date.fromisoformat(value)
        except (TypeError, ValueError):
            self._tell(loc, f"`{str(value)[:40]}` is no date", "write it as 2026-03-01")
            return None

    def _visited(self, days: list[Any]) -> Iterator[date]:
        for number, day in enumerate(days):
            if found := self._date(("given", "visits", number), day):
                yield found

    def _events(self, events: Any) -> Iterator[GivenEvent]:
        if not isinstance(events, list):
            self._tell(("given", "events"), "`events` must be a list", "write `- {at: …, name: …}`")
            return
        for number, event in enumerate(events):
            loc: Location = ("given", "events", number)
            if not isinstance(event, dict) or not {"at", "name"} <= event.keys():
                fix = "write `{at: -8d, name: membership_renewed}`"
                self._tell(loc, "an event needs `at` and `name`", fix)
                continue
            known = ("at", "name", "data")
            for key in event.keys() - set(known):
                self._wrong((*loc, key), f"unknown key `{key}`", key, known, key=True)
            at, data = self._moment((*loc, "at"), event["at"]), event.get("data") or {}
            if not isinstance(data, dict):
                self._tell((*loc, "data"), "`data` must be keys with values", "write `{to: won}`")
            elif at is not None:
                yield GivenEvent(at, str(event["name"]), data)

    def _moment(self, loc: Location, value: Any) -> Offset | datetime | None:
        text = str(value)
        try:
            return Offset.parse(text)
        except PydanticCustomError:
            pass
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            fix = "write `-8d` or `+2h` from the anchor, or 2026-03-01T10:00"
            self._tell(loc, f"`{text[:40]}` is no moment", fix)
            return None
        return datetime.combine(moment.date(), NOON) if len(text) <= len("2026-03-01") else moment

    def _expected(self, expect: Sequence[Any]) -> Iterator[Expected]:
        known = {name for act in self.definition.acts() for name in (act.step, act.name)}
        for number, text in enumerate(expect):
            loc: Location = ("expect", number)
            step, at, day = str(text).partition("@")
            if step not in known:
                self._wrong(loc, f"the campaign has no step `{step[:40]}`", step, known)
            on = self._date(loc, day) if at else None
            yield Expected(step, on)

    def _wrong(
        self, loc: Location, what: str, name: object, known: Any, *, key: bool = False
    ) -> None:
        self._tell(loc, what, choose_from(str(name), known), key=key or loc[0] == "given")

    def _tell(self, loc: Location, what: str, fix: str, *, key: bool = False) -> None:
        problem = self.source.problem((*self.at, *loc), what, fix, key=key)
        self.problems.append(
            Problem(problem.file, problem.line, problem.column, what, fix, self.definition.campaign)
        )


def _is_words(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _example(of: Field) -> str:
    if of.type is FieldType.TAGS:
        return "[" + ", ".join(of.example) + "]"
    return str(of.example).lower() if of.type is FieldType.BOOLEAN else str(of.example)
