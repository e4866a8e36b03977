"""The event loop of a run: uvloop, where it installs. It halves what a hand-over costs."""

import asyncio
import gc
from collections.abc import Coroutine
from typing import Any, TypeVar

YOUNG = 50_000
"""So many new objects before Python looks for rings of garbage among them. A batch of messages
makes tens of thousands that all live for a while: looking after each 700 of them, as Python does
by itself, took a tenth of the time that a message costs."""

T = TypeVar("T")


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run to the end, as `asyncio.run` does."""
    gc.set_threshold(YOUNG, *gc.get_threshold()[1:])
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return asyncio.run(main)
    return uvloop.run(main)
