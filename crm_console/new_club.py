"""Making a club's folder from the starter."""

import json
import os
import secrets
import shutil
from dataclasses import dataclass
from pathlib import Path
from string import Template
from zoneinfo import available_timezones

from babel.numbers import get_territory_currencies

from crm_store.errors import UsageError
from crm_store.keys import VARIABLE
from triggers.problems import choose_from
from triggers.yaml_source import read_yaml

_HERE = Path(__file__).parent / "starter"


def starter_folder() -> Path:
    """The folder that holds the starter's `campaigns` and `templates`.

    A wheel carries them beside the packages; in a checkout they are read where they stand.
    """
    beside = Path(__file__).parents[1]
    packaged = beside / "sampark_starter"
    return packaged if packaged.is_dir() else beside


def starter_languages() -> tuple[str, ...]:
    """The languages that the starter's messages are written in."""
    folders = (starter_folder() / "templates").iterdir()
    return tuple(sorted(path.name for path in folders if len(path.name) == 2))


@dataclass(frozen=True)
class ClubFacts:
    """What a new club.yaml says of the club."""

    name: str
    timezone: str
    country: str
    languages: tuple[str, ...]
    currency: str

    @classmethod
    def of(cls, name: str, timezone: str, country: str, languages: tuple[str, ...]) -> "ClubFacts":
        """The same, looked over. Raises `UsageError` for what the starter cannot serve."""
        if timezone not in available_timezones():
            raise UsageError(
                f"There is no time zone {timezone}.",
                choose_from(timezone, available_timezones()),
            )
        if not name.isprintable():
            raise UsageError("The name holds a character that cannot be seen.", "Leave it out.")
        currencies = get_territory_currencies(country)
        if not currencies:
            raise UsageError(
                f"{country} is no country's code.", "Write two letters, such as IN, RU or GB."
            )
        unknown = [one for one in languages if one not in starter_languages()]
        if unknown or not languages:
            raise UsageError(
                f"The starter has no messages in {', '.join(unknown) or 'no language'}.",
                f"Choose from {', '.join(starter_languages())}; add others to the folder later.",
            )
        return cls(name, timezone, country, languages, currencies[-1])


def make_club(folder: Path, facts: ClubFacts) -> list[str]:
    """Write a new club into `folder`; return its files. Raises `UsageError` if it is in use."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty.", "Name a new folder; nothing here was changed.")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be made: {error.strerror}.", "Name a folder you may write to."
        ) from error
    starter = starter_folder()
    (folder / "campaigns").mkdir()
    for path in sorted((starter / "campaigns").glob("*.yaml")):
        if _country_of(path) in (None, facts.country):
            shutil.copy(path, folder / "campaigns")
    for part in ("layouts", *facts.languages):
        shutil.copytree(starter / "templates" / part, folder / "templates" / part)
    _write(folder / "club.yaml", _club_yaml(facts))
    for name, source in (
        (".env.example", "env.example"),
        (".gitignore", "gitignore"),
        (".vscode/settings.json", "vscode-settings.json"),
        ("segments.yaml", "segments.yaml"),
        ("scores.yaml", "scores.yaml"),
    ):
        _write(folder / name, (_HERE / source).read_text(encoding="utf-8"))
    _write_key(folder / ".env")
    write_editor_schema(folder)
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()
    )


def _write_key(path: Path) -> None:
    """A `.env` with a secret key of the club's own, for its owner's eyes only."""
    text = (
        "# Keep this file: without its key, links in messages that were sent do not work any\n"
        "# more, and nobody can tell who is on the suppression list.\n"
        f"{VARIABLE}={secrets.token_urlsafe(32)}\n"
    )
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)


def _country_of(campaign: Path) -> str | None:
    """The country whose festival a campaign counts from, if it does."""
    trigger = read_yaml(campaign).data["trigger"]
    country: str | None = trigger.get("country")
    return country


def write_editor_schema(folder: Path) -> None:
    """The schemas by which an editor completes what people write, with the club's own words."""
    from flows.project import open_project
    from flows.settings_schema import settings_schema
    from triggers.schema import schemas

    project = open_project(folder)
    for name, schema in {"club": settings_schema(), **schemas(project.vocabulary())}.items():
        text = json.dumps(schema, ensure_ascii=False, indent=1)
        _write(project.state_folder / f"{name}.schema.json", text + "\n")


def _club_yaml(facts: ClubFacts) -> str:
    template = Template((_HERE / "club.yaml").read_text(encoding="utf-8"))
    return template.substitute(
        name=_quoted(facts.name),
        timezone=facts.timezone,
        country=facts.country,
        languages=", ".join(facts.languages),
        currency=facts.currency,
        sender=_quoted(f"{facts.name} <hello@club.example>"),
    )


def _quoted(text: str) -> str:
    """A JSON string is a YAML string too."""
    return json.dumps(text, ensure_ascii=False)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
