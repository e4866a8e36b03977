"""The demonstration's club: made anew each time, in a folder of its own."""

import shutil
from pathlib import Path

from crm_console.new_club import ClubFacts, make_club
from crm_store.errors import UsageError
from flows.club_lock import running_up
from flows.project import Project, open_project

FACTS = ClubFacts("Lotus Fitness", "Asia/Kolkata", "IN", ("en", "hi", "ru"), "INR")
_MARK = "demo"
"""In the state folder: this club is ours, and may be thrown away."""


def fresh_club(folder: Path) -> Project:
    """A new demo club in `folder`, in place of an older one.

    Raises `UsageError` when the folder holds anything else, or the older one is at work.
    """
    mark = folder / ".sampark" / _MARK
    if mark.is_file():
        if running := running_up(folder / ".sampark"):
            raise UsageError(
                f"The demo club in {folder} is at work (`sampark up`, process {running.pid}).",
                "Stop it with Ctrl-C first, or name another folder: sampark demo DIR",
            )
        shutil.rmtree(folder)
    make_club(folder, FACTS)
    mark.touch()
    return open_project(folder)
