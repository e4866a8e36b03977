"""A simulation in several processes, each with a part of the customers.

What becomes of a customer does not depend on the others: caps, consents, conditions, chance and
coupons are her own, and what is everybody's (suppressed addresses, pauses, the moments of a
schedule) is only read. So the tallies of the parts add up to that of the whole.
"""

import asyncio
import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from crm_store.errors import SamparkError
from crm_store.scratch import Part
from flows.campaigns import load_campaigns
from flows.children import child, end_with_parent
from flows.foresight.course import Course, run_course
from flows.foresight.scratch_engine import engine_on_part
from flows.foresight.tally import Tally
from flows.project import open_project

WORTH = 200_000
"""Customers times days that a process must have to do: with fewer its own start takes longer."""
MOST = 8
"""Each has its own memory, and what does not depend on the number of customers it does again."""


class PartEnded(SamparkError):
    """A process of a simulation ended without a word."""

    def __init__(self, code: int) -> None:
        super().__init__(
            f"A process of the simulation ended early, with exit code {code}.",
            "What it said stands above; if it said nothing, the machine may lack memory. "
            "Simulate fewer days at a time.",
        )


def processes_for(customers: int, days: int) -> int:
    """How many processes a simulation of this size is worth on this machine."""
    return max(1, min(_cpus(), MOST, customers * days // WORTH))


def run_in_parts(course: Course, folder: Path, whole: Path, number: int) -> Tally:
    """Run the campaigns of the club in `folder` on the scratch store at `whole`, in so many parts.

    An error in a part is raised as it was there; Ctrl-C ends all parts. Raises `PartEnded` when a
    process was killed.
    """
    with TemporaryDirectory(prefix="sampark-") as desk:
        parts = [_Work(course, folder, whole, Part(one, number)) for one in range(number)]
        tallies = asyncio.run(_all(parts, Path(desk)))
    together = Tally()
    for tally in tallies:
        together.add(tally)
    return together


@dataclass(frozen=True)
class _Work:
    """What a process is told."""

    course: Course
    folder: Path
    whole: Path
    part: Part


@dataclass(frozen=True)
class _Failed:
    """An error of a part: its class, and what it knows."""

    kind: type[SamparkError]
    known: dict[str, object]

    def again(self) -> SamparkError:
        """The error as it was."""
        error = self.kind.__new__(self.kind, self.known["reason"])
        error.__dict__.update(self.known)
        return error


async def _all(parts: list[_Work], desk: Path) -> list[Tally]:
    try:
        async with asyncio.TaskGroup() as group:
            working = [group.create_task(_one(work, desk)) for work in parts]
    except ExceptionGroup as several:
        # Whichever failed first has ended the others: what it said is what there is to say.
        raise several.exceptions[0] from None
    return [one.result() for one in working]


async def _one(work: _Work, desk: Path) -> Tally:
    told = desk / f"work-{work.part.number}"
    told.write_bytes(pickle.dumps(work))
    answer = _answer(told)
    command = [sys.executable, "-m", "flows.foresight.part_process", str(told)]
    async with child(command) as process:
        code = await process.wait()
    if not answer.exists():
        raise PartEnded(code)
    # Our own child wrote it, into a folder that is ours alone.
    came: Tally | _Failed = pickle.loads(answer.read_bytes())  # noqa: S301
    if isinstance(came, _Failed):
        raise came.again()
    return came


def _answer(told: Path) -> Path:
    return told.with_suffix(".done")


def _cpus() -> int:
    """Those that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _work_on(work: _Work, copy: Path) -> Tally:
    project = open_project(work.folder)
    clock = work.course.clock(project.zone)
    with engine_on_part(project, clock, work.whole, work.part, copy) as engine:
        running, _ = load_campaigns(engine.store, project.check(), engine.catalogue, clock.now)
        return run_course(work.course, engine, clock, running)


def work_off(told: Path) -> None:
    """In a child: do the work that the file `told` tells of, and write down what came of it."""
    end_with_parent(lambda: os._exit(1))
    work: _Work = pickle.loads(told.read_bytes())  # noqa: S301 - our own parent wrote it
    came: Tally | _Failed
    try:
        # On the parent's desk: it is cleared however this process ends.
        came = _work_on(work, told.with_suffix(".db"))
    except SamparkError as error:
        came = _Failed(type(error), vars(error))
    written = told.with_suffix(".writing")
    written.write_bytes(pickle.dumps(came))
    written.rename(_answer(told))
