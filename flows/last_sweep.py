"""When a whole sweep was last made for this folder, by whichever process."""

import time
from datetime import timedelta
from pathlib import Path

_MARK = "last-sweep"


def note_sweep(state_folder: Path) -> None:
    """A sweep has just been made."""
    state_folder.mkdir(parents=True, exist_ok=True)
    (state_folder / _MARK).touch()


def since_last_sweep(state_folder: Path) -> timedelta | None:
    """How long ago that was; `None` when it was never."""
    try:
        made_at = (state_folder / _MARK).stat().st_mtime
    except FileNotFoundError:
        return None
    return timedelta(seconds=time.time() - made_at)
