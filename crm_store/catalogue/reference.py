"""The page of fields, made from the catalogue.

After a change of the catalogue: `python -m crm_store.catalogue.reference > docs/fields.md`.
"""

from collections.abc import Iterator

from crm_store.catalogue.field import Catalogue, Field, FieldType
from crm_store.catalogue.standard import catalogue_of

_HEAD = """\
# Fields

What campaigns and messages can name. The same words mean the same in a condition and in a
template. Those of `customer`, and your own, are columns of an import too, there without the part
before the dot. What is worked out here, an age or a score, no file can set.

*May be empty* says that not every customer has a value: a message needs a word for that case, such
as `{{ customer.first_name or "there" }}`.

A club adds fields of its own under `fields:` in `club.yaml`; they are called `custom.…`.

A campaign that an event starts has the data of that event too, in its messages:
`{{ event.amount }}` is what it says under `amount`. See
[Writing a campaign](writing.md#what-the-event-says).
"""
_FAMILY = """
## {family}

| field | type | | for example | may be empty |
|---|---|---|---|---|
{rows}
"""


def fields_page(catalogue: Catalogue) -> str:
    """The page in Markdown: one table for each family, in the catalogue's order."""
    families = dict.fromkeys(field.name.split(".")[0] for field in catalogue)
    return _HEAD + "".join(
        _FAMILY.format(family=family, rows="\n".join(_rows(catalogue, family)))
        for family in families
    )


def _rows(catalogue: Catalogue, family: str) -> Iterator[str]:
    for field in catalogue:
        if field.name.startswith(f"{family}."):
            empty = "" if field.always else "yes"
            yield f"| `{field.name}` | {field.type} | {field.label} | {_example(field)} | {empty} |"


def _example(field: Field) -> str:
    if field.type is FieldType.TAGS:
        return ", ".join(field.example)
    if field.type is FieldType.BOOLEAN:
        return "yes" if field.example else "no"
    return str(field.example)


if __name__ == "__main__":
    print(fields_page(catalogue_of()), end="")
