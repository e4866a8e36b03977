"""Words written into a statement, not bound to it."""

from typing import Any

from sqlalchemy import ColumnElement, literal_column


def is_word(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """`column = 'word'`, for words of our own.

    A partial index (`WHERE state = 'queued'`) serves only a statement that says the word itself:
    SQLite never looks through a parameter, and PostgreSQL not once its plan is generic.
    """
    if not word.replace("_", "").isalpha():
        raise ValueError(f"not a plain word: {word!r}")
    return column == literal_column(f"'{word}'")
