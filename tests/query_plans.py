"""What a statement reads: every one that is executed, and what it would read from end to end."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from crm_store.database import Store

_FEW = {"club", "campaign_version", "pause", "ledger_home", "kept_days"}
_A_BATCH = {"next_up", "oldest", "given", "counted"}
SMALL = (
    _FEW
    | _A_BATCH
    | {
        "ix_enrollment_next",
        "ix_event_unhandled",
        "ix_touchpoint_in_doubt",
    }
)
"""Tables, batches and partial indexes that stay small however many customers there are."""


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Every statement that is executed meanwhile, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _cursor: Any, sql: str, parameters: Any, _x: Any, many: bool) -> None:
        seen.append((sql, parameters[0] if many else parameters))

    event.listen(store.engine, "before_cursor_execute", note)
    yield seen
    event.remove(store.engine, "before_cursor_execute", note)


def scanned(store: Store, sql: str, parameters: Any) -> list[str]:
    """What SQLite would read from end to end for a statement, other than what stays small."""
    plan = plan_of(store, sql, parameters)
    scans = [
        re.match(r"SCAN ([a-z_]\w*)(?: USING (?:COVERING )?INDEX (\w+))?", row) for row in plan
    ]
    # The plan of an INSERT also lists how foreign keys would be checked: not what is read.
    named = set(re.findall(r"\w+", sql.partition("SELECT")[2] if "INSERT" in sql else sql))
    return [
        scan[0] for scan in scans if scan and scan[1] in named and not SMALL & {scan[1], scan[2]}
    ]


def plan_of(store: Store, sql: str, parameters: Any) -> list[str]:
    """SQLite's plan of a statement, a line for each step."""
    with store.read() as connection:
        plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {sql}", parameters).all()
    return [row[3] for row in plan]
