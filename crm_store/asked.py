"""What is asked again and again: SQL that is built once, and the values of this time.

SQLAlchemy takes longer to build a statement, and to compare it with those that it has compiled,
than SQLite takes to run it. So what each pass asks is built once, when a module is read or by a
function that keeps what it has built. What differs from one time to the next are parameters with
names, which are given when the statement is executed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Sql = TypeVar("Sql", covariant=True)

KEPT = 300
"""How many statements a function keeps that builds them of campaigns' conditions: more than a club
has of them, and not all that a process ever sees."""


@dataclass(frozen=True)
class Asked(Generic[Sql]):
    """A statement, or a part of one, and its values."""

    sql: Sql
    """The same object whenever it is asked: by it the compiled form is found."""
    values: Mapping[str, Any]
    """By the names of its parameters."""
