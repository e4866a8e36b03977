"""The Core table behind a model: hot paths speak Core, not objects."""

from typing import cast

from sqlalchemy import Table
from sqlmodel import SQLModel


def table_of(model: type[SQLModel]) -> Table:
    """The `Table` of a mapped model."""
    return cast(Table, vars(model)["__table__"])
