"""Words written into a statement, not bound to it."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, false, literal_column, or_


def is_word(column: ColumnElement[Any], word: str) -> ColumnElement[bool]:
    """`column = 'word'`, for words of our own.

    A partial index (`WHERE state = 'queued'`) serves only a statement that says the word itself:
    SQLite never looks through a parameter, and PostgreSQL not once its plan is generic.
    """
    return column == _written(word)


def is_still(column: ColumnElement[Any], *words: str) -> ColumnElement[bool]:
    """Whether a row that is named by its id says one of these words.

    No index serves this. PostgreSQL takes a partial one for small, and would read all rows in the
    state that it is about for the few that are asked of.
    """
    return column.concat(literal_column("''")).in_([_written(word) for word in words])


def one_of(column: ColumnElement[Any], words: Iterable[str]) -> ColumnElement[bool]:
    """`column IN words`, for words that a statement is built with.

    `in_` writes its list out anew each time that the statement is executed.
    """
    return or_(false(), *(column == word for word in words))


def _written(word: str) -> ColumnElement[str]:
    if not word.replace("_", "").isalpha():
        raise ValueError(f"not a plain word: {word!r}")
    return literal_column(f"'{word}'")
