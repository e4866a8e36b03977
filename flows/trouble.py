"""An error told without its words: they may hold an address, the class and the place do not."""

import traceback
from pathlib import Path

_STEPS = 5
_HOUSE = Path(__file__).resolve().parents[1]
_FLOORS = frozenset({"crm_store", "triggers", "crm_messaging", "flows", "crm_console"})


def class_and_place(error: BaseException) -> str:
    """`OperationalError 40P01 at cursor.py:117 < enrollments.py:97 < admit.py:31`, newest first.

    Where it was raised, and the last steps of our own on the way there: an error of the database
    comes from deep inside its library. The database's own code for what went wrong goes with it.
    """
    steps = traceback.extract_tb(error.__traceback__)
    where = [steps[-1], *reversed([one for one in steps[:-1] if _is_ours(one)])] if steps else []
    places = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in where[:_STEPS])
    parts = (type(error).__name__, _code(error), places and f"at {places}")
    return " ".join(filter(None, parts))


def _is_ours(step: traceback.FrameSummary) -> bool:
    path = Path(step.filename)
    return path.is_relative_to(_HOUSE) and path.relative_to(_HOUSE).parts[0] in _FLOORS


def _code(error: BaseException) -> str | None:
    """PostgreSQL's SQLSTATE, or SQLite's name of the error: neither quotes a row."""
    # By attribute: commands that only read files come by here without the database library.
    cause = getattr(error, "orig", None)
    return getattr(cause, "sqlstate", None) or getattr(cause, "sqlite_errorname", None)
