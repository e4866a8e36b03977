"""The page of all that club.yaml may say, made from the settings.

After a change of them: `python -m flows.settings_reference > docs/club-reference.md`.
"""

from collections.abc import Iterator
from dataclasses import replace

from flows.reading_settings import variable_of
from flows.settings import Settings
from triggers.model_reference import SECRET, Key, Part, Reader, told


def parts() -> Iterator[Part]:
    """Every part of club.yaml, in the order of the page."""
    for part in Reader("club.yaml", Settings).parts():
        yield replace(part, keys=tuple(_with_its_variable(part, key) for key in part.keys))


def page() -> str:
    """The page in Markdown."""
    return _HEAD + "".join(
        told(part, level=3 if part.path else 2, examples=False) for part in parts()
    )


def _with_its_variable(part: Part, key: Key) -> Key:
    """A secret has no place in the file: the page says where it belongs."""
    if key.type != SECRET:
        return key
    above = ("NAME" if isinstance(one, int) else one.partition(":")[0] for one in part.path)
    return replace(key, default=f"`{variable_of((*above, key.name))}` in `.env`")


_HEAD = """\
# club.yaml

Every key of a club's settings. Each may be overruled by a variable in `.env` or the environment,
`SAMPARK_` and the keys on the way to it in capitals: `SAMPARK_PUBLIC__PORT=8080`. A secret is read
from there only, or from the file that the same name with `_FILE` behind it names. A key without a
default may be left out. This page is made from the program itself.
"""

if __name__ == "__main__":
    print(page(), end="")
