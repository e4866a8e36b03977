"""The settings of a club: club.yaml, `.env` and the environment. No other module reads these.

The first that says something wins: a flag, the environment (`SAMPARK_…`), `.env`, club.yaml,
the default. A secret is never read from YAML: it comes from the environment, or from the file
that `SAMPARK_…_FILE` names.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import ValidationError

from crm_store.errors import SamparkError
from flows.settings import Settings
from triggers.model_problems import problems_of
from triggers.problems import Problem
from triggers.yaml_builder import Location
from triggers.yaml_source import Source, read_yaml

PREFIX = "SAMPARK_"
_DEEPER = "__"
_FROM_FILE = "_FILE"
SECRETS = (
    "password",
    "auth_token",
    "token",
    "verify_token",
    "secret",
    "secret_key",
    "secret_key_previous",
    "hook_secret",
)


class BrokenSettings(SamparkError):
    """club.yaml or the environment says something that cannot be used."""

    exit_code = 3

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_settings(folder: Path, flags: Mapping[str, Any] | None = None) -> Settings:
    """Read the settings of the club in `folder`.

    Raises `BrokenSettings` with every problem at once, each with its file, line and column.
    """
    path = folder / "club.yaml"
    if not path.is_file():
        raise SamparkError(
            f"There is no club.yaml in {folder.resolve()}.",
            "Go to the club's folder, name it with --project, or make one: sampark init DIR",
        )
    source = read_yaml(path, shown_as=path.name)
    secrets = [at for at in _paths(source.data) if at and at[-1] in SECRETS]
    problems = [*source.problems, *(_is_secret(at, source) for at in secrets)]
    settings = None
    if source.complete:
        given = source.data
        if isinstance(given, dict):
            given = _merged(given, _from_environment(folder))
            given = _merged(given, flags or {})
        try:
            settings = Settings.model_validate(given)
        except ValidationError as error:
            # What a secret says is not judged, and not shown, where it may not stand.
            told = {source.position(at) for at in secrets}
            found = problems_of(error, source, Settings)
            problems += [one for one in found if (one.line, one.column) not in told]
    if settings is None or problems:
        raise BrokenSettings(sorted(problems, key=lambda one: (one.line, one.column)))
    return settings


def variable_of(path: Sequence[str | int]) -> str:
    """The environment's name of a setting: ``("public", "port")`` is SAMPARK_PUBLIC__PORT."""
    return PREFIX + _DEEPER.join(str(part) for part in path).upper()


def _is_secret(at: Location, source: Source) -> Problem:
    """A secret in a file that is committed and mailed around is no secret."""
    variable = variable_of(at)
    message = f"`{at[-1]}` is a secret and must not stand in YAML"
    fix = f"set {variable} in .env, or {variable}{_FROM_FILE} to a file that holds it"
    return source.problem(at, message, fix, key=True)


def _paths(data: Any, at: Location = ()) -> list[Location]:
    paths = [at]
    if isinstance(data, dict):
        for key, value in data.items():
            paths += _paths(value, (*at, key))
    return paths


def _from_environment(folder: Path) -> dict[str, Any]:
    """`SAMPARK_CHANNELS__EMAIL__SMTP__PASSWORD=x` → {"channels": {"email": {…}}}."""
    try:
        variables = {**dotenv_values(folder / ".env"), **os.environ}
    except UnicodeError as error:
        raise SamparkError("The file .env is not UTF-8.", "Save it as UTF-8.") from error
    tree: dict[str, Any] = {}
    for name, value in sorted(variables.items()):
        if not name.startswith(PREFIX) or value is None:
            continue
        if name.endswith(_FROM_FILE):
            name, value = name.removesuffix(_FROM_FILE), _read_secret(name, value)
        *parents, last = name.removeprefix(PREFIX).lower().split(_DEEPER)
        branch = tree
        for parent in parents:
            branch = branch.setdefault(parent, {})
            if not isinstance(branch, dict):
                raise SamparkError(
                    f"{name} speaks of a part of what another variable sets as a whole.",
                    "Unset one of the two, in .env or in the environment.",
                )
        branch[last] = value
    return tree


def _read_secret(variable: str, path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeError) as error:
        what = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SamparkError(
            f"{variable} names {path}, which cannot be read: {what}.",
            "Name a file that holds the secret, and that this user may read.",
        ) from error


def _merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """`over` laid on `under`, branch by branch."""
    merged = dict(under)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(below, Mapping) and isinstance(value, Mapping):
            value = _merged(below, value)
        merged[key] = value
    return merged
