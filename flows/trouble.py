"""An error told without its words: they may hold an address, the class and the place do not."""

import traceback
from pathlib import Path

_STEPS = 5


def class_and_place(error: BaseException) -> str:
    """`OperationalError at sweep.py:91 < runs.py:88`: the last steps, newest first."""
    steps = traceback.extract_tb(error.__traceback__)[-_STEPS:]
    places = " < ".join(f"{Path(step.filename).name}:{step.lineno}" for step in reversed(steps))
    return f"{type(error).__name__} at {places}"
