"""A club whose staff import files."""

from pathlib import Path
from typing import Any

from making import NOW, make_club, rows_of

from crm_store.catalogue.field import FieldType
from crm_store.catalogue.standard import catalogue_of, custom_field
from crm_store.database import Store
from crm_store.imports.result import ImportResult
from crm_store.imports.run import import_file

CATALOGUE = catalogue_of(
    [
        custom_field("goal", FieldType.TEXT, "Training goal"),
        custom_field("checkup_on", FieldType.DATE, "Checkup"),
    ]
)


class Office:
    """A club whose staff import files."""

    def __init__(self, store: Store, directory: Path) -> None:
        self.store = store
        self.club = make_club(store)
        self.path = directory / "export.csv"

    def bring(self, kind: str, text: str, **options: Any) -> ImportResult:
        self.path.write_text(text)
        return import_file(
            self.store,
            kind,
            self.path,
            club_id=self.club,
            catalogue=CATALOGUE,
            **{"now": NOW, **options},
        )

    def rows(self, model: Any, *columns: str) -> list[tuple[Any, ...]]:
        return rows_of(self.store, model, *columns)


def counts(result: ImportResult) -> dict[str, int]:
    """The counts that are not zero."""
    found = {
        "added": result.added,
        "updated": result.updated,
        "unchanged": result.unchanged,
        "rejected": len(result.rejected),
    }
    assert sum(found.values()) == result.read
    return {name: count for name, count in found.items() if count}
