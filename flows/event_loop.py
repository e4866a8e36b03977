"""The event loop of a run: uvloop, where it installs. It halves what a hand-over costs."""

import asyncio
import sys
from collections.abc import Coroutine
from typing import Any, TypeVar

TURN_S = 0.0005
"""A busy thread gives way after so long to one that wants its turn. Python's own 5 ms would have
the sessions stand still while the next batch is prepared."""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, as `asyncio.run` does."""
    sys.setswitchinterval(TURN_S)
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run(main)
    return uvloop.run(main)
