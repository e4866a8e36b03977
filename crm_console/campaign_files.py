"""The campaign that a person means, without a look into the database."""

from pathlib import Path

from crm_store.errors import UsageError
from flows.project import Project
from triggers.check import CheckedFile
from triggers.problems import choose_from


def files_named(project: Project, which: Path) -> list[CheckedFile]:
    """The campaign in this file, or of this name. Raises `UsageError` when there is none.

    A file's name will do as well: what stands in it as the campaign's may be what is wrong.
    """
    files = project.check()
    found = [
        one
        for one in files
        if one.path.resolve() == which.resolve()
        or str(which) in (one.name, one.path.stem, one.path.name)
    ]
    if not found:
        known = {one.name for one in files}
        folder = f"Campaigns are the .yaml files in {project.campaigns_folder}."
        fix = folder if which.exists() else choose_from(which.stem, known, folder)
        raise UsageError(f"{which} is no campaign of this club.", fix)
    return found
