"""Why somebody is not in a campaign: its questions put to one customer, in the SQL of admission."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from crm_store import field_values, history
from crm_store.catalogue.field import FieldType
from crm_store.scope import MEMBERSHIP, Scope
from flows.admit import look_of
from flows.engine import Engine
from triggers.definition import CampaignDefinition
from triggers.expression import Condition, condition_parts, parse_condition
from triggers.kinds.membership_expiring import MembershipExpiring


@dataclass(frozen=True)
class Answer:
    """How a customer stands to a campaign that has not taken them in."""

    campaign: str
    name: str
    has_occasion: bool
    """Its trigger has come for the customer."""
    admitted: bool
    """Its condition holds for the customer."""
    where: str | None
    false_parts: tuple[str, ...]
    """The parts of the condition, joined by `and`, that do not hold."""
    facts: dict[str, Any]
    """The values of the fields that those parts look at."""
    other_plan: str | None
    """The plan of the customer's membership, where the trigger wants another."""

    def sentence(self) -> str:
        """Why the customer is not in it, in one sentence without its full stop."""
        if self.has_occasion and self.admitted:
            return "its occasion has come; the next sweep lets the customer in"
        absent = "its occasion has not come for the customer"
        if self.other_plan:
            absent = f"it is not for the plan {self.other_plan}"
        if self.admitted:
            return absent
        occasion = "its occasion has come, but" if self.has_occasion else f"{absent}, and"
        return f"{occasion} its condition does not hold: {' and '.join(self.false_parts)}"


def ask(
    connection: Connection,
    engine: Engine,
    definition: CampaignDefinition,
    customer_id: int,
    now: datetime,
) -> Answer:
    """Ask a campaign about one customer, with the very SQL that admission uses."""
    return _Asking(connection, engine, definition, customer_id, now).answer()


@dataclass(frozen=True)
class _Asking:
    connection: Connection
    engine: Engine
    definition: CampaignDefinition
    customer_id: int
    now: datetime

    def answer(self) -> Answer:
        definition, catalogue = self.definition, self.engine.catalogue
        where = parse_condition(definition.where, catalogue) if definition.where else None
        answers = list(self._on_occasions(where))
        has_occasion = any(answer is not None for answer in answers)
        admitted = any(answers) if has_occasion else where is None or self._holds(where)
        false = [] if admitted or where is None else self._false_parts(where, has_occasion)
        return Answer(
            definition.campaign,
            definition.name,
            has_occasion,
            admitted,
            where.text if where else None,
            tuple(one.text for one in false),
            self._facts({name for one in false for name in one.fields}),
            None if has_occasion else self._other_plan(),
        )

    def _on_occasions(self, condition: Condition | None) -> Iterator[bool | None]:
        """For each question of the trigger: whether the condition holds; None without occasion."""
        membership = MEMBERSHIP if self.definition.trigger.about_membership else None
        sql = condition.sql(self._scope(membership)) if condition else None
        look = look_of(self.engine, self.definition, self.now)
        for occasions in self.definition.trigger.occasions(look):
            yield history.occasion_of(self.connection, self.customer_id, occasions, sql)

    def _false_parts(self, where: Condition, has_occasion: bool) -> list[Condition]:
        parts = condition_parts(where, self.engine.catalogue)
        if has_occasion:
            false = [one for one in parts if not any(self._on_occasions(one))]
        else:
            false = [one for one in parts if not self._holds(one)]
        # Each may hold on another occasion, and all of them on none.
        return false or [where]

    def _other_plan(self) -> str | None:
        trigger = self.definition.trigger
        if not isinstance(trigger, MembershipExpiring) or not trigger.plans:
            return None
        plan: str | None = self._facts(["membership.plan"])["membership.plan"]
        return None if plan in trigger.plans else plan

    def _holds(self, condition: Condition) -> bool:
        sql = condition.sql(self._scope(None))
        return history.condition_holds(self.connection, self.customer_id, sql)

    def _facts(self, fields: Collection[str]) -> dict[str, Any]:
        if not fields:
            return {}
        catalogue = self.engine.catalogue
        row = field_values.of_customer(
            self.connection, catalogue, fields, self.customer_id, self._scope(None)
        )
        return {name: _plain(value, catalogue[name].type) for name, value in row.items()}

    def _scope(self, membership: Any) -> Scope:
        return Scope.at(self.now, self.engine.club_zone, membership=membership)


def _plain(value: Any, kind: FieldType) -> Any:
    """A field's value as JSON and people have it."""
    if kind is FieldType.TAGS:
        return value.split("\n") if value else []
    if kind is FieldType.BOOLEAN:
        return bool(value)
    if kind is FieldType.DATE:
        return None if value is None else str(value)
    return float(value) if kind is FieldType.NUMBER and value is not None else value
