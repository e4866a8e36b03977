"""What a figure depends on: the machine's load, the cores given to each side, and the spread."""

import os
import statistics
import tempfile
import time
from collections.abc import Sequence


def sides(pinned: bool) -> tuple[set[int], set[int]]:
    """The cores of the sink and those of the client; the same for both unless `pinned`."""
    cores = sorted(os.sched_getaffinity(0))
    if not pinned or len(cores) < 2:
        return set(cores), set(cores)
    return {cores[0]}, set(cores[1:])


def load() -> str:
    """How busy the machine is with other things: say it beside every figure.

    The disk counts as much as the cores: each commit of the ledger waits for one sync.
    """
    busy = f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    return f"{busy}, a sync {_sync() * 1000:.1f} ms"


def _sync() -> float:
    """The median seconds of writing 8 KiB durably where the databases are."""
    times = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(50):
            started = time.perf_counter()
            file.write(bytes(8192))
            os.fdatasync(file.fileno())
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def median(values: Sequence[float], form: str = ",.0f") -> str:
    """`1,050 (990 to 1,100)`."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:{form}} ({low:{form}} to {high:{form}})"
