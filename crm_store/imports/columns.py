"""A column of an import, and finding it in a file by its heading."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from crm_store.errors import UsageError
from crm_store.imports.cells import Reader


@dataclass(frozen=True)
class Column:
    """One column: its name, how its cells are read, and what other programs call it.

    Where several headings fit, the name itself comes first, unless the aliases place it.
    """

    name: str
    read: Reader
    aliases: tuple[str, ...] = ()
    required: bool = False


OURS = ("line", "problem")
"""Headings that we add to a file of rejected rows: mended, it can be imported as it is."""


def same_heading(text: str) -> str:
    """A heading's letters and digits: `E-mail `, `e_mail` and `EMAIL` are one heading."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("ё", "е")
    return "".join(sign for sign in folded if unicodedata.category(sign)[0] in "LMN")


@dataclass(frozen=True)
class Places:
    """Where each column stands in a file, by index from 0, and the headings nobody asked for."""

    of: dict[str, tuple[int, ...]]
    """Several headings may fit one column; of these the first cell that is not empty counts."""
    unknown: tuple[str, ...]
    missing: tuple[str, ...]
    """The columns that no heading fits."""


def find_places(
    columns: Sequence[Column], headings: Sequence[str], mapping: Mapping[str, str]
) -> Places:
    """Match headings to columns; `mapping` says by hand which heading a column has.

    A required column takes one heading only: a key must not be pieced together from two.
    Raises `UsageError` when a required column is missing or `mapping` names what is not there.
    """
    keys = [same_heading(heading) for heading in headings]
    unknown_names = set(mapping) - {column.name for column in columns}
    if unknown_names:
        raise UsageError(
            f"There is no column {', '.join(sorted(unknown_names))} to import into.",
            f"The columns are: {', '.join(column.name for column in columns)}.",
        )
    of: dict[str, tuple[int, ...]] = {}
    for column in columns:
        places = _places_of(column, headings, keys, mapping.get(column.name))
        if places:
            of[column.name] = places[:1] if column.required else places
        elif column.required:
            also = f" ({', '.join(column.aliases[:4])})" if column.aliases else ""
            raise UsageError(
                f"The file has no column for {column.name}{also}; it has: {', '.join(headings)}.",
                f'Say which one it is: --column {column.name}="HEADING".',
            )
    used = {place for places in of.values() for place in places}
    return Places(
        of,
        tuple(
            heading
            for place, heading in enumerate(headings)
            if place not in used and keys[place] not in OURS and keys[place]
        ),
        tuple(column.name for column in columns if column.name not in of),
    )


def _places_of(
    column: Column, headings: Sequence[str], keys: Sequence[str], by_hand: str | None
) -> tuple[int, ...]:
    own = () if column.name in column.aliases else (column.name,)
    names = [by_hand] if by_hand is not None else [*own, *column.aliases]
    wanted = list(dict.fromkeys(same_heading(name) for name in names))
    places = tuple(place for key in wanted for place, found in enumerate(keys) if found == key)
    if by_hand is not None and not places:
        near = get_close_matches(by_hand, headings, n=1)
        raise UsageError(
            f"The file has no heading {by_hand}.",
            f"Did you mean {near[0]}?" if near else f"It has: {', '.join(headings)}.",
        )
    return places
