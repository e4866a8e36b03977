"""Carry out what a step does in our own house: tasks for staff, changes of a customer's data.

It happens in the transaction that records the step: once, or not at all.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from crm_messaging.filled_text import FilledText
from crm_messaging.render import RenderError, values_for
from crm_store import changes, events, field_values, staff_tasks
from crm_store.enrollments import DueEnrollment
from crm_store.event_names import STAGE_CHANGED
from crm_store.staff_tasks import NewTask
from flows.engine import Engine
from triggers.actions import Task, Update
from triggers.definition import CampaignDefinition
from triggers.steps import Act


@dataclass(frozen=True)
class Deed:
    """Something to be done for one enrollment."""

    enrollment: DueEnrollment
    act: Act


def carry_out(
    engine: Engine,
    connection: Connection,
    definition: CampaignDefinition,
    deeds: Sequence[Deed],
    now: datetime,
) -> None:
    """Do what is to be done, like with like."""
    changed = {one.enrollment.customer_id for one in deeds if one.act.action.update is not None}
    changes.hold_customers(connection, changed)
    alike: dict[tuple[str, str], list[Deed]] = defaultdict(list)
    for deed in deeds:
        alike[deed.act.step, deed.act.variant].append(deed)
    for same in alike.values():
        action = same[0].act.action
        if action.task is not None:
            _add_tasks(engine, connection, definition, action.task, same, now)
        if action.update is not None:
            _update(connection, definition, action.update, same, now)


def _add_tasks(
    engine: Engine,
    connection: Connection,
    definition: CampaignDefinition,
    task: Task,
    deeds: Sequence[Deed],
    now: datetime,
) -> None:
    language = engine.library.languages[0]
    catalogue = engine.library.text_catalogue
    title = FilledText(task.title, catalogue, language)
    ids = [deed.enrollment.id for deed in deeds]
    scope = engine.scope(definition, now)
    rows = field_values.of_enrolled(connection, engine.catalogue, title.fields, ids, scope)

    def shown(enrollment_id: int) -> str:
        values = values_for(rows[enrollment_id], language, catalogue)
        try:
            return title.filled(values)
        except RenderError:
            # The call is to be made all the same; who makes it sees the customer's page.
            return task.title

    staff_tasks.add(
        connection,
        [
            NewTask(
                deed.enrollment.customer_id,
                deed.enrollment.id,
                task.queue,
                shown(deed.enrollment.id),
                now + task.due,
            )
            for deed in deeds
        ],
        now,
    )


def _update(
    connection: Connection,
    definition: CampaignDefinition,
    update: Update,
    deeds: Sequence[Deed],
    now: datetime,
) -> None:
    ids = [deed.enrollment.customer_id for deed in deeds]
    changes.tag(connection, ids, add=update.add_tags, remove=update.remove_tags)
    changes.set_custom(connection, ids, update.fields, now)
    changes.add_score(connection, ids, update.score, now)
    if update.stage is None:
        return
    for deed in deeds:
        one = deed.enrollment
        key = (definition.campaign, one.customer_id, one.occurrence, deed.act.name)
        events.record(
            connection,
            customer_id=one.customer_id,
            name=STAGE_CHANGED,
            data={"pipeline": update.stage.pipeline, "to": update.stage.to},
            source="campaign",
            source_id="|".join(map(str, key)),
            occurred_at=now,
            now=now,
        )
