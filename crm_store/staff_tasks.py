"""Tasks for the club's staff: made by campaigns, done by people."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, insert

from crm_store.models.staff_task import StaffTask
from crm_store.tables import table_of

_TASK = table_of(StaffTask)


@dataclass(frozen=True)
class NewTask:
    """Something for a person to do about a customer."""

    customer_id: int
    enrollment_id: int
    queue: str
    title: str
    due_at: datetime


def add(connection: Connection, tasks: Sequence[NewTask], now: datetime) -> None:
    """Give the staff these tasks."""
    if tasks:
        rows = [vars(task) | {"created_at": now} for task in tasks]
        connection.execute(insert(_TASK), rows)
